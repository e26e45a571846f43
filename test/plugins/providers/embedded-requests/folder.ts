/** The folder that the requests are about. */
export const FOLDER: Readonly<Record<string, string>> = {
  'notes/lisbon.md':
    '# Lisbon office\n\nThe meeting took place on 4 March 2025. Marta Quintela chaired it. The team agreed to move to the new building in June. The budget for the move is 48,000 euros.',
  'notes/oslo.md':
    '# Oslo office\n\nThe meeting took place on 11 March 2025. Øystein Bråten chaired it. The heating failed twice in February, and two rooms stay closed. A new boiler costs 9,500 euros.',
  'notes/kyoto.md':
    '# Kyoto office\n\nNobody took part from abroad. The garden was planted again after the storm. Visitors liked the tea room.',
  'sales.csv':
    'date,region,product,amount,units\n2025-01-03,North,Lamp,120.50,3\n2025-01-09,South,Chair,80.25,1\n2025-02-11,North,Chair,160.50,2\n2025-02-20,West,Lamp,40.10,1\n2025-03-02,South,"Desk, oak",399.00,1\n',
  'staff.csv':
    'name;city;age;salary\nJürgen Weiß;Köln;41;52.000,50\nChloé Lefèvre;Nîmes;29;41.250,00\nZoë Åkerström;Malmö;35;47.800,00\n',
  'contact.txt':
    'Dear team,\n\nplease call Anneliese Groß from Bauer GmbH. Her e-mail address is a.gross@bauer.example and her phone number is +49 221 5550134. The contract starts on 1 September 2025.\n\nBest regards\nTom',
  'tickets/1.txt': 'I was charged twice for my invoice and want a refund of the payment.',
  'tickets/2.txt': 'The app crashes with an error message when I log in with my password.',
  'report.md':
    '# Annual report\n\nThe cooperative sold 310 tonnes of apples this year. Rain in May delayed the harvest by two weeks. The new cold store opened in August and cost 1.2 million euros. Members elected Ines Caldeira as chair. Exports to Norway doubled. The cooperative plans a cider press for next year.',
  'hafen.txt':
    'Der Hafen von Emden wurde 1901 eröffnet. Heute arbeiten dort 3200 Menschen. Die Schleuse wird seit April repariert, weil ein Tor gerissen ist. Leiterin des Hafens ist Frauke Janßen.',
  'musee.txt':
    'Le musée de la mer a ouvert ses portes en 1987. Il accueille 45 000 visiteurs par an. La directrice du musée est Hélène Guérin. Le musée est fermé le mardi.',
  'molino.txt':
    'El molino fue construido en 1764 por Andrés Ibáñez. Hoy el molino produce harina para doce panaderías. El molino abre los sábados.',
  'eki.txt': '東京駅は1914年に開業した。設計者は辰野金吾である。駅舎は2012年に復元された。',
};
