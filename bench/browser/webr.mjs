export async function webr() {}
