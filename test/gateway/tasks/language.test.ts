/** The language of a text by its script and its common words, and what is left untold. */
import { describe, expect, it } from 'vitest';
import { languageOf } from '../../../src/gateway/tasks/language.ts';

describe('the language of a text', () => {
  it.each([
    ['en', 'How do I write a letter to my bank about a lost card?'],
    ['de', 'Wie schreibe ich einen Brief an meine Bank, wenn die Karte weg ist?'],
    ['fr', 'Comment écrire une lettre à ma banque pour une carte que je ne trouve plus ?'],
    ['es', '¿Cómo escribo una carta a mi banco por una tarjeta que no encuentro?'],
    ['it', 'Come posso scrivere alla mia banca per una carta che non trovo più?'],
    ['pt', 'Como escrevo uma carta ao meu banco sobre um cartão que não encontro?'],
    ['nl', 'Hoe schrijf ik een brief aan mijn bank over een kaart die ik niet meer heb?'],
    ['sv', 'Hur skriver jag ett brev till min bank om ett kort som inte går att hitta?'],
    ['pl', 'Jak napisać list do banku w sprawie zgubionej karty, której nie mogę znaleźć?'],
    ['tr', 'Kayıp bir kart için bankaya nasıl mektup yazarım ve ne kadar sürer?'],
    ['vi', 'Làm thế nào để tôi viết thư cho ngân hàng về một thẻ bị mất?'],
    ['ru', 'Как мне написать письмо в банк, если я не могу найти карту?'],
    ['uk', 'Як мені написати листа до банку, якщо я не можу знайти картку?'],
    ['bg', 'Как да напиша писмо до банката, защото не мога да намеря картата си?'],
    ['el', 'Πώς γράφω ένα γράμμα στην τράπεζα;'],
    ['he', 'איך כותבים מכתב לבנק?'],
    ['ar', 'كيف أكتب رسالة إلى البنك عن بطاقة لا أجدها في أي مكان؟'],
    ['fa', 'چگونه برای بانک نامه بنویسم؟'],
    ['hi', 'मुझे बैंक को पत्र कैसे लिखना है और यह क्या है?'],
    ['ja', '銀行に手紙を書くにはどうすればいいですか'],
    ['zh', '我怎么给银行写信'],
    ['ko', '은행에 편지를 어떻게 쓰나요?'],
    ['th', 'ฉันจะเขียนจดหมายถึงธนาคารอย่างไร'],
  ])('%s', (tag, text) => {
    expect(languageOf(text)?.tag).toBe(tag);
  });

  it.each([
    ['', 'nothing'],
    ['42 + 17 = ?', 'no letters'],
    ['OK', 'a word of many languages'],
    ['Voyager Pasta Berlin', 'names'],
    ['const total = items.reduce((sum, x) => sum + x, 0)', 'a program'],
  ])('%j is left untold: %s', (text) => {
    expect(languageOf(text)).toBeUndefined();
  });

  it('is that of most of it: a name in another script decides nothing', () => {
    expect(languageOf('What does the sign 東京 mean, and how do I read it to my friend?')?.tag).toBe('en');
    expect(languageOf('「the」はどういう意味ですか。教えてください。')?.tag).toBe('ja');
  });

  it('reads only the beginning of a long text', () => {
    const long = `${'the cat is on the mat and it is happy. '.repeat(200)}${'и это не то, что было. '.repeat(20_000)}`;
    expect(languageOf(long)?.tag).toBe('en');
  });
});
