/** Reports what a step is doing. */
export type Report = (text: string) => void;

/** Runs one titled step of a longer job and shows it in the caller's way (a terminal, a log, nothing). */
export type StepRunner = <T>(title: string, work: (report: Report) => Promise<T>) => Promise<T>;

/** Shows nothing. */
export const silentSteps: StepRunner = (_title, work) => work(() => {});
