/**
 * Processes all items in order, a limited number at a time. After a failure it starts no more, and throws when all
 * started ones have ended.
 */
export async function atMost<T>(
  many: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const worker = async () => {
    // All workers take from the same iterator.
    for (const item of left) {
      if (failures.length > 0) return;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: many }, worker));
  if (failures.length > 0) throw failures[0];
}
