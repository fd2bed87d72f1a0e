/**
 * Makes an uncaught error end the process with a message and exit code 70 (EX_SOFTWARE of sysexits.h). The process is
 * in an unknown state; a new process finds all acknowledged data in the cluster. The supervisor starts it again, and
 * VMs resend unanswered requests.
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
