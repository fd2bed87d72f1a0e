import type { StepRunner } from "@siphon/lab";
import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from "listr2";

/**
 * Shows each step with its details and its duration on standard error, which leaves standard output to results
 * (`--json`). Prints plain lines if standard error is no terminal.
 */
export function terminalSteps({ quiet = false } = {}): StepRunner {
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  const options = { logger, timer: PRESET_TIMER };
  return async (title, work) => {
    const result = Promise.withResolvers<Awaited<ReturnType<typeof work>>>();
    const list = new Listr<unknown, "default", "verbose">(
      {
        title,
        task: async (_, task) => {
          const report = (text: string) => {
            task.output = text;
          };
          result.resolve(await work(report));
        },
      },
      {
        renderer: "default",
        rendererOptions: { ...options, collapseErrors: false },
        fallbackRenderer: "verbose",
        fallbackRendererOptions: options,
        fallbackRendererCondition: () => !process.stderr.isTTY,
        silentRendererCondition: () => quiet,
        registerSignalListeners: false,
      },
    );
    await list.run();
    return result.promise;
  };
}
