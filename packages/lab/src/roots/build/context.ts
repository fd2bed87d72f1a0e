/** Passed to each way of filling a directory. */
export interface BuildContext {
  /** Carried by every program that is started. */
  environment: Record<string, string>;
  signal?: AbortSignal;
  onProgress: (text: string) => void;
}
