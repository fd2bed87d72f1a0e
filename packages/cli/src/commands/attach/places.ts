/** Where the service is, unless it is told otherwise. */
export const usualRunDirectory = "/run/siphon";
export const usualControlSocket = `${usualRunDirectory}/attachd.sock`;
