/** Which bytes of a read are zeros that need not be sent: ranges in order that neither overlap nor touch. */
export class Holes {
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  get count(): number {
    return this.starts.length;
  }

  add(start: number, end: number): void {
    let first = 0;
    while (first < this.count && this.ends[first]! < start) first++;
    let after = first;
    while (after < this.count && this.starts[after]! <= end) after++;
    if (after > first) {
      start = Math.min(start, this.starts[first]!);
      end = Math.max(end, this.ends[after - 1]!);
    }
    this.starts.splice(first, after - first, start);
    this.ends.splice(first, after - first, end);
  }

  remove(start: number, end: number): void {
    for (let i = this.count - 1; i >= 0; i--) {
      const [from, to] = [this.starts[i]!, this.ends[i]!];
      if (to <= start || from >= end) continue;
      this.starts.splice(i, 1);
      this.ends.splice(i, 1);
      if (to > end) this.#insert(i, end, to);
      if (from < start) this.#insert(i, from, start);
    }
  }

  clear(): void {
    this.starts.length = 0;
    this.ends.length = 0;
  }

  #insert(at: number, start: number, end: number): void {
    this.starts.splice(at, 0, start);
    this.ends.splice(at, 0, end);
  }
}
