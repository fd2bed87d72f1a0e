/** Lets listening sockets outlive the process: the next process takes them over, and no client that connects meanwhile is refused. */
export interface SocketKeeper {
  /** The descriptor of the socket that the process before this one listened on at a path. */
  take(path: string): number | undefined;
  /** From now on the socket at a path is the next process's as well. */
  keep(path: string, fd: number): void;
  /** Whether the socket stays at its path when its server closes, since the process ends; else it is kept no more. */
  leaves(path: string): boolean;
}
