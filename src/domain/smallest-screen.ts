/** Columns and rows below which the dashboard only says that it needs more. */
export const SMALLEST = { width: 60, height: 16 } as const;
