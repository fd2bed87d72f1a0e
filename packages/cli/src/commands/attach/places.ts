/** Default paths of the service. */
export const usualRunDirectory = "/run/siphon";
export const usualControlSocket = `${usualRunDirectory}/attachd.sock`;
