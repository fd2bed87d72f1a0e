// Preloaded into a program: tells on its standard error, at its end, the addresses of the modules that it loaded.
import { registerHooks } from "node:module";

const urls = new Set<string>();
registerHooks({
  load: (url, context, nextLoad) => {
    urls.add(url);
    return nextLoad(url, context);
  },
});
process.on("exit", () => process.stderr.write(JSON.stringify([...urls])));
