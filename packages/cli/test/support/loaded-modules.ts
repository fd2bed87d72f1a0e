// Preloaded into a program: prints the URLs of the loaded modules on standard error when the program ends.
import { registerHooks } from "node:module";

const urls = new Set<string>();
registerHooks({
  load: (url, context, nextLoad) => {
    urls.add(url);
    return nextLoad(url, context);
  },
});
process.on("exit", () => process.stderr.write(JSON.stringify([...urls])));
