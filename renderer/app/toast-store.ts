import { create } from "zustand";

/** Something that happened elsewhere, with a way to go there. */
export type Toast = { id: string; text: string; href?: string; linkText?: string; isError?: boolean };

type ToastStore = { toasts: Toast[]; show(toast: Toast): void; dismiss(id: string): void };

const MOST = 3;

export const useToasts = create<ToastStore>((set) => ({
  toasts: [],
  show: (toast) =>
    set(({ toasts }) => ({ toasts: [...toasts.filter(({ id }) => id !== toast.id), toast].slice(-MOST) })),
  dismiss: (id) => set(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) })),
}));
