/** Sends a message to the process that forked this one, and waits until it is on its way; says nothing if that process has gone. */
export function tellParent(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, () => resolve());
    else resolve();
  });
}
