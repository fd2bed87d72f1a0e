import type { StepRunner } from "@siphon/lab";
import { Listr, ListrLogger, PRESET_TIMER, ProcessOutput } from "listr2";

/**
 * Shows each step on standard error with what it does and how long it took, so that standard output stays
 * free for results (`--json`). Plain lines where standard error is not a terminal.
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
