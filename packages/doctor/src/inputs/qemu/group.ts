import type { Place } from "../../model/place.ts";
import type { Tree } from "./key-values.ts";

/** The parsed argument of an option, with its place. */
export interface Group {
  tree: Tree;
  place: Place;
}
