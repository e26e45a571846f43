/** Common English words in their base forms, and words that one letter turns into another word. */

/** Words of everyday use and of programs. */
export const PLAIN_WORDS = `
able about above abort absent accept access account accrue achieve acquire across act action activate active actual adapt add address
adjust admin admit adopt adult advance adverse advice advise affect afford after again against age agency agenda agent aggregate agree
ahead aid aim air alarm album alert alias align all allocate allow almost alone along already also alter although always amend among
amount amuse analyse analysis analyze anchor and angle animal animate annotate announce annual anonymous another answer any apart apologize
app appeal appear append apple apply appoint appraise approach approve april arbitrary archive area argue argument arise arm around
arrange array arrest arrive arrow art article artist ascend ascending aside ask asleep aspect assemble assert assess asset assign assist
associate assume assure async attach attack attempt attend attest attribute auction audio audit august author authorize auto autumn available
average avoid await award aware away baby back backup bad badge bag bake balance ball ban band bank banner bar bare bargain barrier
base baseline basic basis basket batch bath battery beach bean bear beat beautiful become bed before begin behave behind being believe
bell belong below bench bend benefit beside best bet better between beyond bias bid big bike bill bin binary bind bird birth bit bite
black blame blank blast blend bless blind blink block blog blood bloom blow blue board boat body boil bold bolt bond bonus book boolean
boost boot border bore born borrow boss both bother bottle bottom bounce bound boundary bowl box boy branch brand brave break breakfast
breath breathe breed brick bridge brief bright bring broad broadcast broken broker browse browser brush bucket budget buffer bug build
building bulk bundle burden burn burst bury bus business busy but button buy buyer by byte cabinet cable cache cake calculate calendar
call caller calm camera camp campaign can cancel candidate cap capable capacity capital caption capture car card care career careful
cargo carrier carry cart case cash cast cat catalog catalogue catch category cause caution cell cent center central centre century
certain certificate certify chain chair challenge chance change channel chapter character charge chart chase chat cheap check cheese
chef child children choice choose chunk church circle circuit cite citizen city civil claim clarify class classify clause clean clear
clerk clever click client climate climb clip clock clone close closet cloth clothes cloud club clue cluster coach coast coat code coffee coin
cold collapse collar collect college collision colour color column combine come comfort command comment commerce commit common
communicate community company compare compatible compete compile complain complete complex comply component compose compound compress
compromise compute computer conceal concept concern conclude concrete condition conduct confer confirm conflict confuse connect consent
consider consist console constant constrain construct consult consume contact contain content contest context continue contract
contrast contribute control convert convey cook cookie cool copy core corner corporate correct correlate cost cotton could council count
counter country couple coupon courage course court cover crack craft crash crawl create creator credit crew crime criteria critic critical crop
cross crowd crown crucial cruel cruise cry cube cup curb cure currency current curse cursor curve custom customer cut cycle daily
damage dance danger dare dark dash data database date day deactivate dead deadline deal dear death debate debit debug debt decade
december decide decimal decision deck declare decline decode decompose decorate decrease decrement decrypt dedicate deduct deep default
defeat defect defend defer define degrade degree delay delegate delete deliberate deliver delta demand demo demote denote dense deny
department depend deploy deposit deprecate depth deputy derive descend descending describe desert deserve design desire desk desktop
destination destroy detach detail detect determine develop device dial dialog diary dictate die diet differ difference different
difficult dig digest digit digital dim dimension dine dinner direct dirty disable disappear disaster discard discharge disclose
disconnect discount discover discuss disk dislike dismiss dismount dispatch display dispose dispute dissolve distance distinct
distribute district disturb dive diverse divide division do dock doctor document dog dollar domain donate done door dose dot double
doubt down downgrade download downtime draft drag drain drama draw drawer dream dress drift drill drink drive driver drop drug dry duck
due dump duplicate duration during dust duty dwell dynamic each eager ear early earn earth ease east easy eat echo edge edit editor
educate effect efficient effort egg eight eighth either elapse elastic elect element eleven eligible eliminate else email embed
embrace emerge emergency emit emotion empire employ empty enable encode encourage encrypt end endpoint enemy energy enforce engage
engine enhance enjoy enlarge enough enqueue enrich enrol enroll ensure enter entire entitle entity entrance entry envelope environment
equal equip erase error escalate escape essay essential establish estate estimate evaluate even evening event ever every evidence evil
evolve exact exam examine example exceed excel except exception excess exchange excite exclude excuse execute executive exempt exercise
exhaust exist exit expand expect expel expense expensive experience experiment expert expire explain explicit exploit explore export expose
express extend extent external extra extract extreme eye face facility fact factor factory fade fail failure faint fair faith fake fall
false fame family famous fan far farm fashion fast fat fate father fault favour favorite fear feature february fee feed feedback feel feet
fellow fence festival fetch fever few fiction field fifteen fifth fifty fight figure file fill film filter final finalize finance find
fine finger finish fire firm first fish fit five fix flag flame flash flat flatten flaw flee fleet flexible flight float flock flood
floor flow flower flush fly focus fold folder follow font food foot football for forbid force forecast foreign forest forever forget
forgive fork form formal format former formula forth fortune forty forum forward found four fourteen fourth fraction fragment frame fraud
free freeze freight frequency frequent fresh friday friend from front frost frozen fruit fuel full fun function fund funny furniture
further fuse future gain gallery gallon gamble game gap garage garden gas gate gather gauge gear general generate generic generous
gentle genuine get ghost giant gift give glad glance glass global glory glove glue goal gold good govern government grab grace grade
gradual graduate grain grammar grand grant graph grass grateful gravity great green greet grey grid grief grocery gross ground group
grow growth guarantee guard guess guest guide guilty guitar gun habit hair half halt hand handle handler hang happen happy harbour
hard hardware harm harsh harvest hash hat hate have head header headline heal health healthy hear heart heat heavy height hello help hence her
here hero hesitate hidden hide high highlight hill hint hire history hit hobby hold hole holiday hollow home honest honour hook hope horizon
horizontal horse hospital host hostile hot hotel hour house hover how however huge human humble humour hundred hungry hunt hurry hurt
husband hybrid ice icon idea ideal identical identify identity idle ignore ill illegal image imagine immediate immense impact imply
import important impose impossible impress improve impulse inactive inbound inbox incident include income increase increment incur indeed
indent independent index indicate individual industry infer inferior infinite inflate influence inform infrastructure inherit inhibit
initial initiate inject injure ink inline inner innocent input inquire insert inside insight insist inspect inspire install instance
instant instead institute instruct instrument insult insurance insure intact integer integrate intelligent intend intense intent interact
interest interface interfere interim internal international internet interpret interrupt interval intervene interview into introduce
invalid invent inventory invert invest investigate invite invoice invoke involve inward iron island isolate issue item iterate january
jacket job join joint joke journal journey joy judge juice july jump june junior jury just justify keep key kick kid kill kind king
kitchen knee knife knock know knowledge label labour lack ladder lake lamp land landing landmark language laptop large last late latency latent later
latest latin latitude latter laugh launch law lawn lawyer lay layer layout lazy lead leader leaf league leak lean learn lease least leather
leave lecture left leg legacy legal legend lend length less lesson let letter level liable liberty library licence license lie life lift
light like likely limb limit line linear link lion liquid list listen literal literature little live load loan lobby local locale locate location
lock log logic login logout lonely long longitude look loop loose lose loss lost lot loud love low lower loyal luck lunch machine magic magnet
mail mailbox main maintain major make male manage manager mandate manifest manner manual manufacture many map march margin mark market
marriage marry mask mass master match material math matrix matter mature maximum maybe meal mean measure meat mechanism medal media median medical
medicine medium meet melody melt member memory mental mention menu merchant mercy mere merge merit mess message metadata metal meter method
metric middle might migrate mild mile milestone milk mill million mind mine minimal minimum minister minor mint minus minute miracle mirror miss
missing mission mistake mix mobile mode model moderate modern modest modify module moment monday money monitor month mood moon moral more
morning mortal most mother motion motive motor mount mountain mouse mouth move movie much mud multiple multiply murder muscle museum music must mute
mutual myth name namespace narrow nation native nature navigate near neat necessary neck need needle negative neglect negotiate
neighbour neither nerve nest net network neutral never new news next nice night nine nineteen ninety ninth node noise none noon nor normal north
nose not notable note nothing notice notify novel november now nowhere nuclear null number numeric nurse obey object oblige obscure observe obtain
obvious occasion occupy occur ocean october odd offer office official offline offset often oil old omit once one ongoing onion online
only onset open operate operation opinion oppose opposite option oral orange orbit order ordinary organ organize orient origin original
other otherwise ought outage outbound outbox outcome outdoor outer outgoing outlet outline outlook output outside outward oven over overdue overlap
override overview overwrite owe own owner pace pack package packet page paid pain paint pair palace pale panel panic paper paragraph parallel
parcel pardon parent park parse part partial participate particular partition partner party pass passage passenger passive password past paste patch
path patience patient pattern pause pay payload payment peace peak peer pen penalty pencil pending people pepper percent perfect perform
perhaps period permanent permit person personal persuade phase philosophy phone photo phrase physical piano pick picture piece pile pilot pin
pink pint pipe pipeline pitch pixel pizza place plain plan plane planet plant plastic plate platform play plead pleasant please pledge plenty plot
plug plus pocket poem poet point poison pole police policy polish polite political poll pollute pool poor pop popular portion portrait pose
position positive possess possible post pot potato potential pound pour poverty powder power practice praise pray preach precise
predict prefer prefix prejudice premium prepare presence present preserve president press pressure pretend pretty prevent preview previous
price pride priest primary prime prince principal principle print prior prison private prize probable problem proceed process produce product profession
profile profit program programme progress project promise promote prompt proof propagate proper property propose prospect protect protest
protocol proud prove provide province provision proxy prune psychology public publish pull pulse pump punch punish pupil purchase pure purge purple
purpose purse pursue push put puzzle qualify quality quantity quarter queen query question queue quick quiet quit quite quota quotation quote race rack radio
rail rain raise random range rank rapid rare rate rather ratio raw reach react read ready real reality realize reason rebase rebel rebuild
recall receipt receive recent recipe recipient reckon recognize recommend reconcile reconnect record recover recreate recruit recycle red
redeem redirect redo reduce redundant refer reference refine reflect reform refresh refuse refund regard region register regret regular
reject relate relation relative relax relay release relevant reliable relief relieve religion reload reluctant rely remain remark
remedy remember remind remote remount remove rename render renew rent reopen repair repeat repeal replace replay replica replicate reply
report represent reproduce request require rescue research resemble reserve reset reside resign resist resize resolve resort resource respect
respond response rest restart restore restrict result resume retail retain retire retreat retrieve retry return reveal revenge revenue
reverse revert review revise revive revoke revolt reward rewind rewrite rhythm rice rich ride right rigid ring riot rise risk ritual rival river road roast
rob robot robust rock role roll rollback romantic roof room root rope rotate rough round route routine row royal rub rubber rude ruin rule
ruler run runtime rural rush sad safe sail salary sale salt same sample sand sanitize satellite satisfy saturday sauce save say scale scan scare scatter
scene scent schedule schema scheme scholar school science scope score scout scrap scrape scratch scream screen screenshot script scroll sea seal search
season seat second secondary secret section sector secure security see seed seek seem segment seize select self sell semester send senior sense
sensible sensitive sentence sentiment separate september sequence serial series serious serve server service session set setting settle setup
seven seventh several severe sew shade shadow shake shall shallow shame shape share shard sharp shatter shave she shed sheet shelf shell shelter shield
shift shine ship shirt shock shoe shoot shop shore short should shoulder shout show shower shred shrink shut shuffle sick side sigh sight sign signal
significant silence silent silk silly silver similar simple simplify simulate since sincere sing single sink sister sit site situation six sixteen
sixth sixty size skill skin skip skirt sky slave sleep slice slide slight slim slip slope slot slow slug small smart smell smile smoke smooth snake
snapshot snow so soap social society sock soft software soil soldier sole solid solution solve some song soon sore sorry sort soul
sound soup source south space spam span spare spark spawn speak special species specific spectrum speech speed spell spend spent sphere spice spill spin
spirit spite splash split spoil sponsor spoon sport spot spray spread spring sprint square squeeze stable stack staff stage stain stair stake stale
stamp stand standard star stare start starve stash state statement static station statistic status stay steady steal steam steel steep steer stem
step stick stiff still sting stir stock stomach stone stop storage store storm story straight strange stranger strategy straw stream street strength
stress stretch strict strike string strip stroke strong structure struggle student studio study stuff stupid style subject submit subscribe
subset substance substitute subtle subtract suburb succeed success such sudden suffer sufficient suffix sugar suggest suit suite sum
summarize summary summer summit sun sunday super superior supplement supplier supply support suppose suppress sure surface surge surgery surname
surplus surprise surrender surround survey survive suspect suspend sustain swap swear sweat sweep sweet swell swift swim swing switch sword
symbol sympathy symptom sync syntax synthesize system table tackle tag tail take tale talent talk tall tank tap tape target tariff task taste
tax taxi tea teach team tear tech technical technique technology telephone television tell temper temperature template temple temporal temporary
tempt ten tenant tend tender tennis tense tent tenth term terminal terminate terms terrible territory terror test text than thank that theatre theft their
them theme then theory there therapist therefore these they thick thief thin thing think third thirsty thirteen thirty this thorough those though thought
thousand thread threat three threshold thrive throat throne throttle through throughout throw thumb thursday thus ticket tide tidy tie tiger tight till tilt
timber time timeout timer timestamp timetable tiny tip tire tired tissue title toast tobacco today toe together toggle toilet token tolerate tomato
tomorrow ton tone tongue tonight too tool tooth top topic topology torch tortoise toss total touch tough tour tourist tow toward tower town toy trace track
tract trade tradition traffic tragedy trail train trait transaction transcribe transfer transform transit translate transmit transparent transport trap
trash travel tray treasure treat treatment treaty tree tremble trend trial triangle tribe trick trigger trim trip triumph troop tropical
trouble trousers truck true truly trumpet truncate trunk trust truth try tube tuesday tune tunnel turn tutor twelfth twelve twenty twice twin twist two
type typical ugly ultimate umbrella unable unanimous uncle under undergo undo uniform union unique unit unite unity universal universe university
unknown unless unlike until unusual upcoming update upgrade upload upon upper upset upstream uptime urban urge urgent usage use user usual utility
utter vacant vacation vague vain valid validate valley valuable value van vanish variable variant variety various vary vast vault vector vegetable vehicle
vendor venture verb verdict verify verse version vertical very vessel via victim victory video view village violate violent virtual virtue virus visible
vision visit visitor visual vital vivid vocabulary voice void volume voluntary volunteer vote voucher vowel voyage wage wait waiter wake walk wall wallet wander
want war ward warehouse warm warn warning warrant wash waste watch water wave way weak wealth weapon wear weather web website wedding wednesday weed week
weekday weekend weekly weigh weight weird welcome welfare well west wet what wheat wheel when whenever where wherever whether which while whisper whistle
white who whole whom whose why wicked wide width wife wild will win wind window wine wing winner winter wipe wire wisdom wise wish wit with withdraw
within without witness wolf woman women wonder wood wool word work worker workflow workspace world worm worry worse worst worth would wound wrap wreck wrist write
writer wrong yard year yearly yellow yes yesterday yet yield you young youth zero zip zone zoom
`;

/** Words that a doubled, missing or swapped letter makes of another word, names among them, and what programs shorten. */
export const PAIRED_WORDS = `
acct addr alloc amoral amt anal angel anna anne antenna apnea april argv asap asset aunt auth authn authz avert averse axe bard barely bass bathe
beard beet begs bella belly berry bile biding bit bock bold bole bool boor boos booze border bored bough bowel brad brain bran brat bread breath bred brian bride broach broad
bridal brie brooch broth browse bruise brunt burnt buss cable cached caller cam canon cannon canal carat caret carol carrot carve casual causal cause cavalry calvary
celia chef cloths clam clamp clap clod coal coma comic comma conf config conform confront conserve conversation conservation coral cord corpse corps costume
costumer county coups cpu crate creed crud curd cursed dairy dally danish daniel danielle dart dean decent deport depot depose deplete dept desc dessert descr dest dev diarrhea
diner dire dirt discrete discreet disperse diver divers divert dose dove drawn drown dual duel dutch eave elicit eric erica erode err euro exec exits expend
exp ext extol fallow fare fart faxing fearful feint ferret fiance fiancee fiend filed filet fillet finished finnish fist flair flare fled float flora floral flour fob
forgo forego former forums foul four fowl freed fried friar frist funnel furry gable gaol gased genial genital german gird girl girt glare gleam glen grater grate gravel grit grim
groan groom groove grove grown gulf habitat hare hart haste hasten hatred haul hearse heart heath heed hell hexagon hist hoarse hoped hopping hoping html http husky idol idyll illicit imam impart
inertial infinity info init insure inset inter inure irish issuer jail james jane jean jewel john jon jose josie jute kernel laid lain lair laird lama lamb lame lara laser latvian laura
layed leaned lead leafs least lena leona lest liar lice lid lien lied lieu lira loath loathe loot looted lorry lose louse lumber lumbar lunar lush lust lying mach maid mailed maize mania manor
marc marcus mare maria marie marina mariner marital martial martian martin martina mary mast mayor meager meld messy meta metro midi mins minuet miner misc mite moan mock molar mole molt moor moose morale moron morse moth
mould mourn muse mutton naval navel neat nicer niece nigel niger nigeria nonce noun obj observ ooze oust ounce pail pal palm panda pane pant parish paris parity parson parts passion pate patent paten pathos peal pear pearl pedal petal
peel perish perk pert perverse petty pier piety pique pious pique pith planing plank plait plaintiff poise poke polka pond pony poplar pore pores port poser posit pouch pounce prawn prefect prey preset prim prise pro prob
prod profane prone prop props prose prosper prow prows pry puck pulp punt purge purr quill quarry quoted raid rally ramp rant rapt rash rattle ratify rave raven reality really realty reap rebate rebut recede reclaim recuse reed reek reel
ref regain regal regimen regime reign rein relic relish remit renal rend reps repo repot resent resing resound restrain resin retort reuse revel revere revolve rheumatic rind rink ripen roam roar rode roster rote rotor rouge rout rowed
ruble rued rumor rune rung rust rustic rye sack sacred scared sage salve salad sane saner sate satin saturn satyr saver scaled scam scant scar scarf scorn scrub seam sect secs semi sentry serf sermon sever sewer shack shard sheer shim shire shoal shone shoot shorn
shrub shunt sidle siege sieve silver sliver singe singed singing signing sinus skim slack slain slander slang slap slash slat slate slay sled sleigh sling slit sloth slug slump smack smear smell smog snack snap snare sneak snip snob snore soar sober solar solder
soldier sonar soot soothe sore spa spade spar spat spear spec specs sped sperm spine spire spiral spleen splice spook spouse sprout spur spurt squat squid src sriracha stab stag staid stair stalk stall star starred starring staring stat stationary stationery stats stark statue statute stead
steak stein stench steven stew stile stilt stint stoke stole stool stoop stork stout stove strait strand strap strata stray streak strew strife stub stud stun stunt suave sued suede sullen sulk surf surge sushi swamp swan swarm swat swathe sway swede swedish
swine swirl sworn syrup tact taint taker tamper tango tangle taper tart taunt tawny teal teem teen temp tempo tenor tense terse thane thaw thee theirs thicket thigh thorn thread thrice thrift thrill thrust thud thug tick tiered timed tinder tint titan titular tmp toad
toil toll tomb torn torque torso torrent tort tot tote tout trace tram tramp trance trawl tread trifle trio tripe trite troll trot trough trout trove truce truss tuba tuck tug tuna turbo turf tusk tutu tweak tweed twig twine unclear untie untied united unto upbeat urn usurp
vail vale valve vane vase veal veer veil vein venal vent venus verge vet vex vice vile vine vinyl viper visa vise vista vogue volt vow wade waft wager waif wail waist waive wand wane ware warp wart wary weave weld wept wharf whim whine whip whirl whiz widen widow wield wig
wile wilt wince winch wink wither woe woke womb woo wore wove wrath wreak wren wrest wring writ wry yacht yam yank yarn yawn yeast yelp yoke yolk zeal zest austria australia swiss spanish french greek polish dutch korean chinese japanese
ace acton addition additive aging aide alas alder alto anon ape apology arch archer argus armor astro avid axle bail ballad bandit bark barley barn baron basil bat batman baton bazaar beak beast bee behavior bent bet beta beverly bone boom booth
bose bought bower bra bray broke brooke brought buff bush bust caliber came cane cant cape care carl carp caste castle cement centimeter cheer cheetah chill chime chin chop chose claim clan clench climax coil coke cola comet commune complaint compliant cone
continent cops corp couch counsel counselor countess courier covert cow crap create crete cries crisis crusade cub cue cushion damn dane dank darn dawn deceased deer deli dell denis dennis diploma disc does doing dome domino doom dragon dragoon drank
drew drier drove drunk dune dying eldest endeavor ensue envy era eternal ether ethic eton exert fast favor feat feast feud fiber fibre fief fife fin flavor flies foes fond fore forge forgot formula foster fray fred fries gale gave gaze gene genius genre genus georgia germany german
gills given gnome goat god goes gone gong gore gorge gory gown grad gray grew gust gut hale halo hang hard harem harmony harness hash hatch hath haze heir held heritage hides hoard holly holy hone honor hoop hoover hose hub humor hung hut induce induct indict inert inn ion ivory
jam joan judgment kane karat kate kept kilometer kin kinship knew lace lack lag lain lane lap lava lays led lemon lens liege line lint liter litre litter lobe lone loop lost lunar lung lure lurk made macro mama man mane manly mar mare marine marred marsh mars mat mater mattress maze
meant mediation medial medieval meditation met metre mica mislead misled mist mite moan mob molar mold mon mono moss mot moto naive naked nave neighbor neural neuron new noble noel noun nun oat ode opera ordnance ordinance organ owing pan panned papa para pea peach peasant pest pet
pie pillar pine pint pity plea pod polar polo pose posse prate prelude premier prof pros ran ray rage rang rat rave ravine rector reef reel rein rib rid rise risen rod rogue role roman romeo rooster rose rot ruse saber sable sabre sake salmon saloon salon same sand sang sank sash sat saw said
scot sculpt seen send sent sense serene set shed sewn shine shit shot shown shun silt sin sine sire skies skit sky slid slain slept sold son song sonny sought specialty spat spit spoke spree spring sprang spun stole stood stuck strung stung subst sung sunk supper surgeon swam swept swore swum taken taught teal texas
theater thong thrown told took tore torn tow toxic trans treatise tries tumor turing tying vertebra vigil vile villa violet vow went wale wales were whale whisky whiskey wight woken won worship woven written wrote
alan alex alexander alice alison allan allen amy andrea andrew andy anders anthony barbara ben bernard beth betty bob boris brenda bruce cameron carla carlos caroline catherine charles charlie chris christian christina christine claire clara clare claus craig cynthia dan dana daniela
daria dave david davis debra denise diana diane donald donna dora doris dorothy douglas edgar edward elena eli elias elisa elliot elsa emil emily emma enrico erik erin ernest esther eva fatima felix fiona francis franc frances frank franz fred gary gene george gerald gina gloria gordon greg gustav hanna hannah hans
harold harry helen henrik henry ian ines ingrid irene isaac ivan jack jacob jaime jakob jason jeff jennifer jeremy jess jesse jessica joe johan johann johanna jonas jonathan jordan joseph joshua juan juana judith julia julian julie karen karin karl katherine kathryn keith kelly kenneth kevin larry laurent lea lee leon leo
lewis lily linda lisa lois louis louise luca lucas lucia lucy luis luisa lukas luke lydia manuel marco marcel mario margaret marina marion marius marta martha mateo mathew matthew max megan melissa michael michel michelle miguel mike mira mohamed mohammed monica nancy naomi nathan nicholas nicolas nicole nina nora olga oliver oscar
otto pablo pamela patricia patrick paul paula pauline pedro peter petra phil philip phillip rachel ralph raul raymond rebecca richard rita robert roger roland ronald rosa ruth ryan samuel sandra sara sarah scott sean sharon simon simone sofia sonia sophia sophie stan stefan stella stephan stephen steve steven stuart susan tanya teresa thomas
tim tina todd tom tony tracy ursula vera victor vincent virginia walter wayne wendy william zoe
alpha gamma epsilon zeta eta theta iota kappa lambda omicron rho sigma tau upsilon phi chi psi omega
africa algeria america argentina asia austrian belgium bolivia brazil britain bulgaria canada chile china colombia cuba cyprus denmark egypt england estonia ethiopia europe finland france ghana greece guinea holland hungary iceland india indian indonesia iran iraq ireland israel italy italian jamaica japan
kenya korea kuwait lebanon liberia libya mali malta mexico morocco nepal netherlands norway oman pakistan panama peru poland portugal portuguese qatar romania romanian russia russian scotland scottish serbia siberia slovak slovakia slovene slovenia somalia spain sudan sweden switzerland syria syrian taiwan tanzania thailand tunisia turkey turkish
uganda ukraine vietnam welsh yemen zambia zimbabwe
arg bacon bing bio boast bot camel chad char cock concerto con crises deter ding doc formulae foto gage geek isle jain linter lite marin mod montage moot motto param
perl pic prot radial repel runaway runway salsa savage sentient spies suck tile tilde tinker trait tried vita ascii async batched cron csv daemon dns dto enum env eof fifo goto guid hmac iban
iso json jwt lifo mutex nginx oauth pdf png ptr regex repl sdk sha sql ssh ssl stdin stdout svg tcp tls ttl udp url uri usd utc utf uuid vpn xml yaml
titel ordre membre lettre chambre septembre octobre novembre decembre
`;
