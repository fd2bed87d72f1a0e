/**
 * The colours of charts and pages, by role. Charts are drawn in the light ones, which work in every SVG viewer; a style
 * sheet replaces each by the dark one on a dark page. So no two roles may share a light colour. Blue, orange and grey
 * are distinguishable for colour-blind readers.
 */
export const palette = {
  ink: { light: "#17202b", dark: "#e7ecf2" },
  muted: { light: "#566273", dark: "#9daabb" },
  grid: { light: "#e1e6ec", dark: "#2a333f" },
  surface: { light: "#ffffff", dark: "#11161d" },
  bar: { light: "#6494c6", dark: "#4a7cb0" },
  accent: { light: "#0a5ca8", dark: "#74b6f6" },
  study: { light: "#b3500c", dark: "#f2a25c" },
  second: { light: "#8a8f99", dark: "#7d8794" },
  line0: { light: "#1668c0", dark: "#6fb3f7" },
  line1: { light: "#b9560f", dark: "#f0a35e" },
  line2: { light: "#0f7f5f", dark: "#4fc7a0" },
  line3: { light: "#b0458f", dark: "#e58fc7" },
  line4: { light: "#5a6472", dark: "#a9b4c2" },
  line5: { light: "#8a6d00", dark: "#d3b544" },
  heat0: { light: "#f1f4f8", dark: "#19212b" },
  heat1: { light: "#d8e6f4", dark: "#1e3650" },
  heat2: { light: "#a8c8e7", dark: "#28517f" },
  heat3: { light: "#3873b3", dark: "#5b97d5" },
  heat4: { light: "#1e5897", dark: "#8ebcec" },
  heat5: { light: "#0c386a", dark: "#cfe4fb" },
  onLightHeat: { light: "#17202c", dark: "#e7ecf1" },
  onDarkHeat: { light: "#fefefe", dark: "#0c131c" },
} as const;

export type Role = keyof typeof palette;

/** The light colour of a role. */
export function color(role: Role): string {
  return palette[role].light;
}

/** CSS rules under `selector` that replace the light colours by the dark ones. */
export function darkChartRules(selector: string): string {
  return Object.values(palette)
    .map(
      ({ light, dark }) =>
        `${selector}[fill="${light}"]{fill:${dark}}${selector}[stroke="${light}"]{stroke:${dark}}`,
    )
    .join("");
}

/** CSS custom properties, one a role, for pages. */
export function properties(scheme: "light" | "dark"): string {
  return Object.entries(palette)
    .map(([role, colors]) => `--${role}:${colors[scheme]};`)
    .join("");
}
