/** Runs actions one after the other, in the order in which they were requested; one that fails does not keep the next from running. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action, action);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
