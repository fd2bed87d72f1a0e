/** Passed to each method to fill a directory. */
export interface BuildContext {
  /** The environment of all started programs. */
  environment: Record<string, string>;
  signal?: AbortSignal;
  onProgress: (text: string) => void;
}
