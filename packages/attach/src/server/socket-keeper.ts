/** Lets listening sockets outlive the process: the next process takes them over, and no client that connects meanwhile is refused. */
export interface SocketKeeper {
  /** The descriptor on which the previous process listened at a path. */
  take(path: string): number | undefined;
  /** Keeps the socket at a path for the next process. */
  keep(path: string, fd: number): void;
  /**
   * Whether the socket stays at its path when its server closes: only if the process ends. Otherwise the keeper drops
   * it.
   */
  leaves(path: string): boolean;
}
