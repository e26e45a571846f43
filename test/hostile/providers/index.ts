export const PROVIDERS = new Map<string, never>();
