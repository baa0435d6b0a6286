/**
 * [Note: threads] The number of CPU threads, chosen while running. ggml's threads wait for each other in busy loops, so a
 * single core taken away from them slows all down: on two free cores two threads are nearly twice as fast as one, on two
 * busy ones fifty times slower. So every piece of work is also a measurement, as in the trainer (native-trainer's
 * threads.h): mostly the number that was fastest lately is used, now and then another one is tried, and one that was far
 * behind more and more rarely. Texts do not depend on it: every number in a product is added up by one thread, and the
 * one operator that splits a sum among threads, flash attention, is off on the CPU.
 */
export type Work = "prompt" | "token";

export type ThreadTuner = {
  /** Runs a piece of work with the number of threads that suits it, and learns from the time it took. */
  run<T>(work: Work, nTokens: number, doWork: () => Promise<T>): Promise<T>;
};

type Choice = { threads: number; secondsPerToken: number | null; tryAt: number; interval: number };

/** Pieces of work between two tries: a piece of a prompt holds up to 128 tokens. */
const FIRST_INTERVAL: Record<Work, number> = { prompt: 8, token: 32 };
const LONGEST_INTERVAL = 4096;
/** One that takes so many times longer is tried half as often from then on. */
const FAR_BEHIND = 2;
/** What a new measurement counts in the moving average. */
const NEW_SHARE = 0.3;

export function createThreadTuner(options: {
  /** No more threads than this, the machine's cores. */
  most: number;
  setThreads(threads: number): void;
  now?: () => number;
}): ThreadTuner {
  const { most, setThreads, now = () => performance.now() } = options;
  const states = { prompt: startOf("prompt", most), token: startOf("token", most) };

  return {
    async run(work, nTokens, doWork) {
      const state = states[work];
      const choice = nextChoice(state);
      setThreads(choice.threads);
      const startedAt = now();
      const result = await doWork();
      report(state, work, choice, (now() - startedAt) / 1000 / nTokens);
      return result;
    },
  };
}

type State = { choices: Choice[]; nPieces: number };

/** Until it is known better, one core is left to everybody else. */
function startOf(work: Work, most: number): State {
  const numbers = new Set([Math.max(1, most - 1), most, Math.ceil(most / 2), 1]);
  const choices = [...numbers].map((threads, i) => ({
    threads,
    secondsPerToken: null,
    tryAt: 2 * i,
    interval: FIRST_INTERVAL[work],
  }));
  return { choices, nPieces: 0 };
}

function bestOf({ choices }: State): Choice {
  return choices.reduce((best, choice) =>
    (choice.secondsPerToken ?? Infinity) < (best.secondsPerToken ?? Infinity) ? choice : best,
  );
}

function nextChoice(state: State): Choice {
  const best = bestOf(state);
  const due = state.choices.find((choice) => choice !== best && choice.tryAt <= state.nPieces);
  return due ?? best;
}

function report(state: State, work: Work, choice: Choice, seconds: number): void {
  state.nPieces++;
  const { secondsPerToken } = choice;
  choice.secondsPerToken = secondsPerToken === null ? seconds : (1 - NEW_SHARE) * secondsPerToken + NEW_SHARE * seconds;
  const best = bestOf(state).secondsPerToken!;
  const isFarBehind = seconds > FAR_BEHIND * best;
  choice.interval = isFarBehind ? Math.min(2 * choice.interval, LONGEST_INTERVAL) : FIRST_INTERVAL[work];
  choice.tryAt = state.nPieces + choice.interval;
}
