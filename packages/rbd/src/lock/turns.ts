/** Runs actions one at a time, in order of request; a failed action does not prevent the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(action, action);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
