export const playProvider = async (_a: never, _b: string[]) => '';
