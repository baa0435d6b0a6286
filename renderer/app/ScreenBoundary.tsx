import { Component, type ReactNode } from "react";
import { ErrorNotice } from "../components/ErrorNotice.tsx";

/** A fault of one screen leaves the rest of the window alive. A class, because only a class can catch in React. */
export class ScreenBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: undefined as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div style={{ padding: 16 }}>
        <ErrorNotice
          what="This screen has stopped because of a fault in the program"
          error={this.state.error}
          onRetry={() => this.setState({ error: undefined })}
        />
      </div>
    );
  }
}
