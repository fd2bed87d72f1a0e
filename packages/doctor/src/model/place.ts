/** Where a fact is in the input. */
export interface Place {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units. */
  column?: number;
  /** The fact's address in the format's own terms: an XPath, a path of YAML keys, a command-line option. */
  path?: string;
}

/** A fact with its place. A fact about something missing has the place of the enclosing element. */
export interface Fact<Value> {
  value: Value;
  place: Place;
}

/** Finds the line and column of an offset in a text. */
export class Lines {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** Line and column (from 1) of an offset (from 0). */
  at(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}
