/**
 * Makes an uncaught error end the process with a message and exit code 70 (EX_SOFTWARE of sysexits.h): what it serves
 * is in a state that nobody has thought of, and a new process finds all that is acknowledged in the cluster. Whoever supervises it
 * starts it again; VMs send again what has no answer.
 *
 * A closed standard output or standard error is not such an error.
 */
export function endOnSurprise(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error").on("error", () => {});
  }
  process.on("uncaughtException", (error) => {
    const what = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`siphon: unexpected failure, this process ends: ${what}\n`);
    process.exit(70);
  });
}
