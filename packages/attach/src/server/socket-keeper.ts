/** Lets listening sockets outlive the process: the next process takes them over, and no client that connects meanwhile is refused. */
export interface SocketKeeper {
  /** The descriptor of the socket that the process before this one listened on at a path. */
  take(path: string): number | undefined;
  /** Keeps the socket at a path for the next process. */
  keep(path: string, fd: number): void;
  /** Whether the socket stays at its path when its server closes: it does if the process ends, else it is no longer kept. */
  leaves(path: string): boolean;
}
