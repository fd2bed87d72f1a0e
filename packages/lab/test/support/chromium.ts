import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why tests in a browser cannot run here; false when they can. */
export const noChromium = existsSync(executablePath)
  ? false
  : `there is no ${executablePath} (npm run setup installs it; CHROMIUM names another)`;

/** Debian's Chromium without a window, and without anything that would call home. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: 120_000,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
