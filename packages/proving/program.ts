import { Command, InvalidArgumentError, Option } from "commander";
import { endOnSignals } from "./end-on-signals.ts";

/** An option of a benchmark or soak: its flags as `--help` shows them, its text, and how its value is read. */
interface ProgramOption<Value> {
  option: (name: string) => Option;
  /** Only for the compiler: the type of the value. */
  value?: Value;
}
type Values<Options> = {
  [Name in keyof Options]: Options[Name] extends ProgramOption<infer Value> ? Value : never;
};

/**
 * Reads the options of a benchmark or soak, which `npm run NAME` starts, and makes Ctrl-C end everything that it starts
 * from now on. Ends the process with a message if an option is unknown or has a bad value, and after `--help`.
 */
export async function begin<Options extends Record<string, ProgramOption<unknown>>>(
  name: string,
  about: string,
  options: Options,
): Promise<Values<Options>> {
  const command = new Command(`npm run ${name} --`)
    .description(about)
    .showHelpAfterError("(--help lists the options)");
  for (const [key, { option }] of Object.entries(options)) command.addOption(option(key));
  const values = command.parse().opts<Values<Options>>();
  await endOnSignals();
  return values;
}

export function flag(about: string): ProgramOption<boolean> {
  return { option: (name) => new Option(`--${name}`, about).default(false, "no") };
}

export function text(placeholder: string, about: string): ProgramOption<string | undefined>;
export function text(placeholder: string, about: string, usual: string): ProgramOption<string>;
export function text(placeholder: string, about: string, usual?: string): ProgramOption<string | undefined> {
  return { option: (name) => withDefault(new Option(`--${name} <${placeholder}>`, about), usual) };
}

/** One of a few words. */
export function word<const Word extends string>(
  words: readonly Word[],
  about: string,
  usual: NoInfer<Word>,
): ProgramOption<Word> {
  return {
    option: (name) => withDefault(new Option(`--${name} <word>`, about).choices(words), usual),
  };
}

/** A comma-separated list of some words; without the option, all of them. */
export function words<const Word extends string>(all: readonly Word[], about: string): ProgramOption<Word[]> {
  const read = (given: string) =>
    given.split(",").map((each) => {
      const known = all.find((one) => one === each);
      if (known === undefined) throw new InvalidArgumentError(`The words are ${all.join(", ")}.`);
      return known;
    });
  return {
    option: (name) => new Option(`--${name} <words>`, about).argParser(read).default([...all], all.join(",")),
  };
}

/** A whole number of at least `least`. */
export function count(about: string, usual?: undefined, least?: number): ProgramOption<number | undefined>;
export function count(about: string, usual: number, least?: number): ProgramOption<number>;
export function count(about: string, usual?: number, least = 1): ProgramOption<number | undefined> {
  return {
    option: (name) => withDefault(new Option(`--${name} <n>`, about).argParser(wholeNumber(least)), usual),
  };
}

/** A comma-separated list of whole numbers of at least `least`. */
export function countList(about: string, usual: readonly number[], least = 1): ProgramOption<number[]> {
  const read = (given: string) => given.split(",").map(wholeNumber(least));
  return {
    option: (name) =>
      new Option(`--${name} <list>`, about).argParser(read).default([...usual], usual.join(",")),
  };
}

function wholeNumber(least: number) {
  return (given: string): number => {
    const number = Number(given);
    if (given === "" || !Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`It takes a whole number of at least ${least}.`);
    return number;
  };
}

function withDefault(option: Option, usual: unknown): Option {
  return usual === undefined ? option : option.default(usual);
}

/** `--json` of a benchmark. */
export const goalsFile = text("FILE", "write the results and goals into this file");

/** `--seed` of a soak, which makes its random choices again. */
export const usualSeed = count("seed of the random choices", 1, 0);
