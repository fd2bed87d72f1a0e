/** The result of one turn of one contender. */
export interface Sample {
  iops: number;
  /** CPU of the serving process, in microseconds per operation. */
  cpu: number;
  /** 99th percentile in milliseconds. */
  p99: number;
}

export interface Load {
  rw: "randread" | "randwrite";
  blockSize: number;
  depth: number;
  seconds: number;
}

/** A server of an image, and how to put load on it. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  run(load: Load): Promise<Sample>;
}

/** A filled image for a contender, on the cluster that the configuration names. */
export interface Ground {
  conf: string;
  pool: string;
  /** Bytes filled in each image. */
  size: number;
  /** Directory for sockets. */
  directory: string;
}

/** Two servers of the same protocol under the same load. */
export interface Contest {
  name: string;
  /** Name of the other server. */
  peer: string;
  /** The largest ratio of our CPU per read to the other server's. */
  goal: number;
  ours(ground: Ground, image: string): Promise<Contender>;
  theirs(ground: Ground, image: string): Promise<Contender>;
}
