import { XmlElement } from "@rgrove/parse-xml";
import type { InputFile } from "../input.ts";
import { type Element, readXml } from "../xml.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import type { Attribute } from "./template.ts";

/** Whether a text is the output of `onevm show -x` or `-j`, as opposed to a template in OpenNebula's own syntax. */
export function isListing(text: string): boolean {
  return /^\s*[<{]/.test(text);
}

/** The attributes in XML or JSON of OpenNebula's API: those inside TEMPLATE, and the VM's name. */
export function readListing(input: InputFile): Attribute[] {
  return input.text.trimStart().startsWith("<") ? fromXml(readXml(input)) : readYaml(input).flatMap(fromJson);
}

function fromXml(root: Element): Attribute[] {
  const vm = root.name === "VM" || root.name === "VMTEMPLATE" ? root : (root.find("VM") ?? root);
  const inside = (parent: Element | undefined): Attribute[] =>
    [
      ...new Set(
        (parent?.node.children ?? []).flatMap((child) => (child instanceof XmlElement ? child.name : [])),
      ),
    ]
      .flatMap((name) => parent!.all(name))
      .map((element) => ({
        key: element.name.toUpperCase(),
        value: element.node.children.some((child) => child instanceof XmlElement) ? "" : element.text,
        inside: inside(element),
        place: element.place,
      }));
  const name = vm.find("NAME");
  return [
    ...(name === undefined ? [] : [{ key: "NAME", value: name.text, inside: [], place: name.place }]),
    ...inside(vm.find("TEMPLATE")),
  ];
}

function fromJson(document: YamlValue): Attribute[] {
  const vm =
    ["VM", "VMTEMPLATE"].map((key) => document.at(key)).find(({ value }) => value !== undefined) ?? document;
  const inside = (parent: YamlValue): Attribute[] =>
    parent.keys().flatMap((key) => {
      // One disk is an object, several are a list.
      const values = Array.isArray(parent.get(key)) ? parent.list(key) : [parent.at(key)];
      return values.map((value) => ({
        key: key.toUpperCase(),
        value: value.text() ?? "",
        inside: inside(value),
        place: value.place(),
      }));
    });
  const name = vm.text("NAME");
  return [
    ...(name === undefined ? [] : [{ key: "NAME", value: name, inside: [], place: vm.place("NAME") }]),
    ...inside(vm.at("TEMPLATE")),
  ];
}
