export const second = 'imported';
