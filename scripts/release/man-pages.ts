import { Command, type Option } from "commander";
import { commands } from "../../packages/cli/src/commands.ts";
import { version } from "../../packages/wire/src/version.ts";

/** The man pages of siphon, in roff, by their file names: one for siphon and one for each of its commands. */
export async function manPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const program = new Command("siphon").description(
    "Siphon measures the disks of VMs on Ceph and makes them fast.",
  );
  for (const { name, summary, load } of commands) {
    const command = (await load([])).summary(summary);
    program.addCommand(command);
    pages.set(`siphon-${name}.1`, page(`siphon-${name}`, `siphon ${name}`, command));
  }
  pages.set(
    "siphon.1",
    page(
      "siphon",
      "siphon",
      program,
      commands.map(({ name }) => `siphon-${name}`),
    ),
  );
  return pages;
}

function page(
  title: string,
  call: string,
  command: Command,
  seeAlso: readonly string[] = ["siphon"],
): string {
  const children = title === "siphon" ? [] : command.commands;
  return [
    `.TH ${title.toUpperCase()} 1 "" "siphon ${version}" "Siphon"`,
    ...[".SH NAME", `${text(title)} \\- ${text(oneLine(command.summary() || command.description()))}`],
    ...[".SH SYNOPSIS", `.B ${text(call)}`, text(command.usage())],
    ...[".SH DESCRIPTION", text(oneLine(command.description()))],
    ...(title === "siphon" ? subcommands(command) : []),
    ...options(command, ".SH OPTIONS"),
    ...children.flatMap((child) => section(call, child)),
    ...[".SH NOTES", ...notes(command)],
    ...[".SH SEE ALSO", seeAlso.map((name) => `.BR ${text(name)} (1)`).join(",\n")],
    "",
  ].join("\n");
}

function subcommands(program: Command): string[] {
  return [
    ".SH COMMANDS",
    ...program.commands.flatMap((each) => [".TP", `.B ${text(each.name())}`, text(each.summary())]),
  ];
}

/** A subcommand and its own subcommands, each as a section. */
function section(call: string, command: Command): string[] {
  const path = `${call} ${command.name()}`;
  const what = command.description() || command.summary();
  return [
    `.SH "${text(path.toUpperCase())}"`,
    ...[`.B ${text(path)}`, text(command.usage()), ".PP", text(oneLine(what))],
    ...options(command),
    ...command.commands.flatMap((child) => section(path, child)),
  ];
}

function options(command: Command, heading?: string): string[] {
  const shown = command.options.filter(({ hidden }) => !hidden);
  if (shown.length === 0) return [];
  return [
    ...(heading ? [heading] : []),
    ...shown.flatMap((option) => [".TP", `.B ${text(option.flags)}`, text(about(option))]),
  ];
}

function about({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const said = [
    ...(argChoices ? [`choices: ${argChoices.join(", ")}`] : []),
    ...(defaultValue === undefined || defaultValue === false
      ? []
      : [`default: ${defaultValueDescription ?? String(defaultValue)}`]),
  ];
  return said.length > 0 ? `${oneLine(description)} (${said.join("; ")})` : oneLine(description);
}

/** The help's text after the options: examples, lists of names. */
function notes(command: Command): string[] {
  const help: string[] = [];
  command.configureOutput({ writeOut: (part) => help.push(part), getOutHasColors: () => false });
  command.outputHelp();
  const after = help.join("").slice(command.helpInformation().length).trim();
  return after === ""
    ? [text("Every command explains itself with --help.")]
    : [".nf", ...after.split("\n").map(text), ".fi"];
}

function oneLine(words: string): string {
  return words.replace(/\s+/g, " ").trim();
}

/** Escapes text for roff: no line is taken for a request, dashes and backslashes are literal. */
function text(words: string): string {
  return words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}
