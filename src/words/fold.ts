/**
 * What a text is compared by: small letters, without accents, and one form for characters that Unicode calls compatible,
 * such as full-width letters. Texts and queries are folded alike.
 */
export function fold(text: string): string {
  if (/^[a-z0-9 ]*$/.test(text)) return text
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(accents, '')
    .replaceAll(lettersOfTwo, (letter) => asciiOf[letter] as string)
    .normalize('NFC')
    .toLowerCase()
}

/**
 * The marks that stand above and below letters of Latin, Greek and Cyrillic, the vowel points of Hebrew, and those of
 * Arabic. The marks of other scripts, as the vowels of Thai and Hindi, are part of the word.
 */
const accents = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]/g

/** Letters that Unicode does not take apart. */
const asciiOf: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
}
const lettersOfTwo = new RegExp(`[${Object.keys(asciiOf).join('')}]`, 'g')
