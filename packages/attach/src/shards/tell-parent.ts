/** Sends a message to the parent process and waits until it is sent; does nothing if that process is gone. */
export function tellParent(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, () => resolve());
    else resolve();
  });
}
