/** `TEST_LONG=1 npm test` runs what takes two cores half a minute, too; the gate has to end in twenty. */
export const isLong = Boolean(process.env.TEST_LONG)
