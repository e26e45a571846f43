export async function playSoak(_: { readonly minutes: number; readonly seed: number }): Promise<number> {
  return 0;
}
