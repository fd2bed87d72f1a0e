/** The delay before a process is restarted. It grows with each restart, and resets after a while of service. */
export class RestartDelay {
  #next = firstDelay;

  /**
   * @param ranFor milliseconds for which the process served
   * @returns milliseconds
   */
  after(ranFor: number): number {
    if (ranFor >= steady) this.#next = firstDelay;
    const delay = this.#next;
    this.#next = Math.min(delay * 2, longestDelay);
    return delay;
  }
}

const firstDelay = 100;
const longestDelay = 15_000;
/** Milliseconds of service after which the delay resets. */
const steady = 60_000;
