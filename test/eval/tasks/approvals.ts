/** A person agrees before something is changed. */
import { approve, ask, node, plan, type Task, task } from '../task.ts';

const ASKS = true;

export const approvals: readonly Task[] = [
  task(
    'refund-asked',
    'shop',
    'Pay order D-5 back in full, but ask me first.',
    [
      plan([
        node('order', 'get_order', { id: 'D-5' }),
        approve('sure', 'Pay back {{order.total}} for order D-5?'),
        node('back', 'refund', { order: 'D-5', usd: '{{order.total}}' }, { when: 'sure.approved' }),
      ]),
    ],
    ASKS,
  ),
  task(
    'deploy-asked',
    'code',
    'Run the tests of branch release-9; when they pass and I have said yes, merge it and deploy version 9 of the service web.',
    [
      plan([
        node('tests', 'run_tests', { branch: 'release-9' }),
        approve('sure', 'Merge and deploy?', { when: 'tests.passed' }),
        node('merge', 'merge_branch', { branch: 'release-9' }, { when: 'sure.approved' }),
        node('deploy', 'deploy', { service: 'web', version: '9' }, { needs: ['merge'] }),
      ]),
    ],
    ASKS,
  ),
  task(
    'mail-shown-first',
    'mail',
    'Answer mail m-31 politely. Show me the answer, and send it to its sender only when I agree.',
    [
      plan([
        node('mail', 'read_mail', { id: 'm-31' }),
        ask('answer', 'Answer politely: {{mail.text}}'),
        approve('sure', 'Send this? {{answer.text}}'),
        node(
          'send',
          'send_mail',
          { to: '{{mail.from}}', subject: 'Re: {{mail.subject}}', text: '{{answer.text}}' },
          { when: 'sure.approved' },
        ),
      ]),
    ],
    ASKS,
  ),
  task(
    'trip-booked',
    'travel',
    'Find a flight from Kiel to Riga and a hotel in Riga for 2026-10-10, ask me whether the price is all right, then book both, two nights.',
    [
      plan([
        node('flights', 'find_flights', { from: 'Kiel', to: 'Riga', day: '2026-10-10' }),
        node('hotels', 'find_hotels', { city: 'Riga', day: '2026-10-10' }),
        approve('sure', 'Book for {{flights.usd}} and {{hotels.usd}}?'),
        node('flight', 'book_flight', { flight: '{{flights.cheapest}}' }, { when: 'sure.approved' }),
        node('hotel', 'book_hotel', { hotel: '{{hotels.cheapest}}', nights: 2 }, { when: 'sure.approved' }),
      ]),
    ],
    ASKS,
  ),
  task(
    'invoice-paid',
    'money',
    'Check that account ops can pay invoice R-12, let me confirm, and pay its supplier.',
    [
      plan([
        node('invoice', 'invoice', { id: 'R-12' }),
        node('left', 'balance', { account: 'ops' }),
        approve('sure', 'Pay {{invoice.usd}} of {{left.usd}}?'),
        node(
          'pay',
          'pay',
          { account: 'ops', to: '{{invoice.supplier}}', usd: '{{invoice.usd}}' },
          { when: 'sure.approved' },
        ),
      ]),
    ],
    ASKS,
  ),
  task(
    'meetings-cancelled',
    'calendar',
    'Cancel all meetings of 2026-12-24, after I have said that it is right.',
    [
      plan([
        node('meetings', 'list_meetings', { day: '2026-12-24' }),
        approve('sure', 'Cancel {{meetings.meetings}}?'),
        node(
          'cancel',
          'cancel_meeting',
          { meeting: '{{item}}' },
          { each: '{{meetings.meetings}}', when: 'sure.approved' },
        ),
      ]),
    ],
    ASKS,
  ),
  task(
    'job-posted',
    'people',
    'Write a job advert for a diver with its salary band, have me approve the text, and publish it.',
    [
      plan([
        node('band', 'salary_band', { role: 'diver' }),
        ask('text', 'Write an advert for a diver, {{band.low}} to {{band.high}}'),
        approve('sure', 'Publish? {{text.text}}'),
        node('post', 'post_job', { title: 'Diver', text: '{{text.text}}' }, { when: 'sure.approved' }),
      ]),
    ],
    ASKS,
  ),
  task(
    'doors-for-the-night',
    'home',
    'If nothing moves before the cameras yard and gate, ask me, and then lock the doors front and back.',
    [
      plan([
        node('yard', 'camera_motion', { camera: 'yard' }),
        node('gate', 'camera_motion', { camera: 'gate' }),
        approve('sure', 'Lock both?', { when: '!yard.motion && !gate.motion' }),
        node('front', 'lock_door', { door: 'front' }, { when: 'sure.approved' }),
        node('back', 'lock_door', { door: 'back' }, { when: 'sure.approved' }),
      ]),
    ],
    ASKS,
  ),
];
