"""Test who held which office on a day, from the public record, against the bundled roster."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.watchlist import bundled

# Country, title word, day, id. A day in the middle of a term, unless the line is about the change itself.
HELD = """
US president 2000-06-01 bill-clinton
US president 2001-01-20 george-w-bush
US president 2001-09-11 george-w-bush
US president 2009-01-21 barack-obama
US president 2016-12-01 barack-obama
US president 2017-01-20 donald-trump
US president 2021-01-19 donald-trump
US president 2021-01-20 joe-biden
US leader 2023-11-15 joe-biden
US president 2025-02-28 donald-trump
CA prime minister 2000-01-01 jean-chretien
CA prime minister 2004-06-01 paul-martin
CA pm 2010-06-26 stephen-harper
CA prime minister 2018-06-09 justin-trudeau
CA prime minister 2025-06-16 mark-carney
MX president 2000-12-02 vicente-fox
MX president 2010-01-01 felipe-calderon
MX president 2015-01-01 enrique-pena-nieto
MX president 2020-07-08 andres-manuel-lopez-obrador
MX president 2024-11-18 claudia-sheinbaum
GB prime minister 2003-03-20 tony-blair
GB pm 2009-04-02 gordon-brown
GB prime minister 2012-07-27 david-cameron
GB prime minister 2017-06-09 theresa-may
GB prime minister 2020-04-01 boris-johnson
GB prime minister 2022-10-01 liz-truss
GB prime minister 2023-02-27 rishi-sunak
GB prime minister 2024-07-05 keir-starmer
GB queen 2010-01-01 elizabeth-ii
GB king 2023-05-06 charles-iii
IE taoiseach 2008-01-01 bertie-ahern
IE taoiseach 2019-01-01 leo-varadkar
IE taoiseach 2025-03-12 micheal-martin
FR president 2003-02-14 jacques-chirac
FR president 2008-08-12 nicolas-sarkozy
FR president 2015-02-12 francois-hollande
FR president 2017-05-14 emmanuel-macron
FR president 2026-02-01 emmanuel-macron
FR prime minister 2004-01-01 jean-pierre-raffarin
FR prime minister 2020-03-01 edouard-philippe
DE chancellor 2002-01-01 gerhard-schroder
DE chancellor 2005-11-22 angela-merkel
DE chancellor 2015-02-12 angela-merkel
DE chancellor 2022-02-15 olaf-scholz
DE leader 2025-07-01 friedrich-merz
DE president 2023-01-01 frank-walter-steinmeier
IT prime minister 2003-07-02 silvio-berlusconi
IT premier 2012-06-01 mario-monti
IT prime minister 2016-01-01 matteo-renzi
IT prime minister 2020-04-01 giuseppe-conte
IT prime minister 2021-10-30 mario-draghi
IT prime minister 2024-06-13 giorgia-meloni
ES prime minister 2003-03-16 jose-maria-aznar
ES prime minister 2008-01-01 jose-luis-rodriguez-zapatero
ES prime minister 2014-01-01 mariano-rajoy
ES prime minister 2023-07-01 pedro-sanchez
ES king 2020-01-01 felipe-vi
PT prime minister 2001-01-01 antonio-guterres
PT prime minister 2020-01-01 antonio-costa
NL prime minister 2005-01-01 jan-peter-balkenende
NL prime minister 2020-01-01 mark-rutte
NL prime minister 2025-01-01 dick-schoof
BE prime minister 2003-01-01 guy-verhofstadt
BE prime minister 2018-01-01 charles-michel
AT chancellor 2019-01-01 sebastian-kurz
AT chancellor 2022-04-11 karl-nehammer
SE prime minister 2015-01-01 stefan-lofven
SE prime minister 2023-07-10 ulf-kristersson
NO prime minister 2004-01-01 kjell-magne-bondevik
NO prime minister 2018-01-01 erna-solberg
DK prime minister 2005-01-01 anders-fogh-rasmussen
DK prime minister 2022-01-01 mette-frederiksen
FI president 2010-01-01 tarja-halonen
FI president 2022-05-14 sauli-niinisto
FI president 2025-03-29 alexander-stubb
GR prime minister 2004-08-13 kostas-karamanlis
GR prime minister 2015-07-05 alexis-tsipras
GR prime minister 2020-01-01 kyriakos-mitsotakis
PL president 2008-08-12 lech-kaczynski
PL president 2022-11-15 andrzej-duda
PL president 2025-09-03 karol-nawrocki
PL prime minister 2010-04-10 donald-tusk
PL prime minister 2022-03-15 mateusz-morawiecki
CZ president 2002-11-21 vaclav-havel
CZ president 2015-05-09 milos-zeman
CZ prime minister 2022-03-15 petr-fiala
SK prime minister 2008-01-01 robert-fico
SK prime minister 2024-12-22 robert-fico
HU prime minister 2007-01-01 ferenc-gyurcsany
HU prime minister 2024-07-05 viktor-orban
RO president 2010-01-01 traian-basescu
RO president 2020-01-01 klaus-iohannis
BG president 2018-01-01 rumen-radev
RS president 2010-01-01 boris-tadic
RS president 2020-06-18 aleksandar-vucic
RS prime minister 2015-01-01 aleksandar-vucic
YU president 2000-09-01 slobodan-milosevic
HR prime minister 2023-01-01 andrej-plenkovic
AL prime minister 2016-01-01 edi-rama
XK president 2020-06-01 hashim-thaci
XK prime minister 2023-01-01 albin-kurti
EE prime minister 2022-01-01 kaja-kallas
LT president 2015-01-01 dalia-grybauskaite
LT president 2023-07-11 gitanas-nauseda
RU president 2000-02-01 vladimir-putin
RU president 2008-08-12 dmitry-medvedev
RU pm 2008-08-12 vladimir-putin
RU president 2012-05-07 vladimir-putin
RU prime minister 2021-01-01 mikhail-mishustin
RU leader 2026-02-04 vladimir-putin
UA president 2004-11-01 leonid-kuchma
UA president 2007-01-01 viktor-yushchenko
UA president 2013-11-21 viktor-yanukovych
UA president 2014-03-18 oleksandr-turchynov
UA president 2015-02-12 petro-poroshenko
UA president 2019-12-09 volodymyr-zelensky
UA prime minister 2022-02-24 denys-shmyhal
UA prime minister 2025-09-01 yulia-svyrydenko
BY president 2020-08-09 alexander-lukashenko
BY leader 2005-01-01 alexander-lukashenko
MD president 2023-06-01 maia-sandu
AM president 2010-01-01 serzh-sargsyan
AM prime minister 2020-11-10 nikol-pashinyan
AM leader 2020-11-10 nikol-pashinyan
AM leader 2010-01-01 serzh-sargsyan
AZ president 2002-01-01 heydar-aliyev
AZ president 2020-11-10 ilham-aliyev
GE president 2008-08-12 mikheil-saakashvili
GE prime minister 2025-01-01 irakli-kobakhidze
KZ president 2015-01-01 nursultan-nazarbayev
KZ president 2022-01-05 kassym-jomart-tokayev
KG president 2012-01-01 almazbek-atambayev
KG president 2023-01-01 sadyr-japarov
TJ president 2023-01-01 emomali-rahmon
UZ president 2010-01-01 islam-karimov
UZ president 2022-09-15 shavkat-mirziyoyev
TM president 2010-01-01 gurbanguly-berdimuhamedov
TM president 2024-01-01 serdar-berdimuhamedov
TR prime minister 2009-01-29 recep-tayyip-erdogan
TR president 2009-01-29 abdullah-gul
TR president 2016-07-15 recep-tayyip-erdogan
TR leader 2009-01-29 recep-tayyip-erdogan
IL prime minister 2000-07-11 ehud-barak
IL prime minister 2004-04-14 ariel-sharon
IL prime minister 2007-11-27 ehud-olmert
IL prime minister 2015-03-03 benjamin-netanyahu
IL prime minister 2021-10-22 naftali-bennett
IL prime minister 2022-08-01 yair-lapid
IL pm 2025-09-29 benjamin-netanyahu
PS president 2003-06-04 yasser-arafat
PS president 2018-01-01 mahmoud-abbas
JO king 2010-01-01 abdullah-ii
SY president 2015-10-20 bashar-al-assad
SY president 2025-05-14 ahmed-al-sharaa
IQ president 2002-01-01 saddam-hussein
IQ prime minister 2009-01-01 nouri-al-maliki
IR president 2007-09-24 mahmoud-ahmadinejad
IR president 2015-07-14 hassan-rouhani
IR president 2023-04-01 ebrahim-raisi
IR president 2025-01-17 masoud-pezeshkian
IR supreme leader 2015-11-23 ali-khamenei
SA king 2002-01-01 fahd-bin-abdulaziz
SA king 2010-01-01 abdullah-bin-abdulaziz
SA king 2022-01-01 salman-bin-abdulaziz
SA crown prince 2018-10-02 mohammed-bin-salman
SA leader 2023-12-06 mohammed-bin-salman
AE president 2023-12-06 mohamed-bin-zayed
AE crown prince 2019-10-15 mohamed-bin-zayed
QA emir 2022-11-20 tamim-bin-hamad-al-thani
EG president 2009-06-04 hosni-mubarak
EG president 2012-10-01 mohamed-morsi
EG president 2015-08-06 abdel-fattah-el-sisi
LY leader 2008-04-17 muammar-gaddafi
TN president 2022-01-01 kais-saied
DZ president 2010-01-01 abdelaziz-bouteflika
DZ president 2023-06-15 abdelmadjid-tebboune
MA king 2016-03-15 mohammed-vi
CN president 2001-10-20 jiang-zemin
CN president 2008-08-08 hu-jintao
CN president 2013-03-22 xi-jinping
CN premier 2005-01-01 wen-jiabao
CN premier 2020-01-01 li-keqiang
CN premier 2024-06-16 li-qiang
CN leader 2026-02-04 xi-jinping
TW president 2006-01-01 chen-shui-bian
TW president 2015-11-07 ma-ying-jeou
TW president 2022-08-03 tsai-ing-wen
TW president 2025-01-01 lai-ching-te
JP prime minister 2004-05-22 junichiro-koizumi
JP prime minister 2016-12-15 shinzo-abe
JP prime minister 2021-04-16 yoshihide-suga
JP prime minister 2023-03-21 fumio-kishida
JP prime minister 2025-02-07 shigeru-ishiba
JP prime minister 2025-10-28 sanae-takaichi
KR president 2000-06-13 kim-dae-jung
KR president 2007-10-02 roh-moo-hyun
KR president 2012-01-01 lee-myung-bak
KR president 2015-09-03 park-geun-hye
KR president 2018-04-27 moon-jae-in
KR president 2023-04-26 yoon-suk-yeol
KR president 2025-08-25 lee-jae-myung
KP leader 2000-06-13 kim-jong-il
KP leader 2018-06-12 kim-jong-un
IN prime minister 2000-03-21 atal-bihari-vajpayee
IN prime minister 2008-01-01 manmohan-singh
IN prime minister 2025-08-31 narendra-modi
IN president 2024-01-01 droupadi-murmu
PK leader 2004-01-01 pervez-musharraf
PK prime minister 2022-02-24 imran-khan
PK prime minister 2025-05-10 shehbaz-sharif
AF president 2010-01-01 hamid-karzai
AF president 2020-02-29 ashraf-ghani
BD prime minister 2020-01-01 sheikh-hasina
BD chief adviser 2025-04-04 muhammad-yunus
LK president 2010-01-01 mahinda-rajapaksa
MM state counsellor 2019-12-10 aung-san-suu-kyi
TH prime minister 2005-01-01 thaksin-shinawatra
TH prime minister 2018-01-01 prayut-chan-o-cha
VN prime minister 2017-11-10 nguyen-xuan-phuc
VN president 2025-05-10 luong-cuong
VN general secretary 2023-12-12 nguyen-phu-trong
KH prime minister 2012-11-18 hun-sen
KH prime minister 2025-07-28 hun-manet
MY prime minister 2003-01-01 mahathir-mohamad
MY prime minister 2025-05-26 anwar-ibrahim
SG prime minister 2018-11-14 lee-hsien-loong
ID president 2005-01-01 susilo-bambang-yudhoyono
ID president 2022-11-15 joko-widodo
PH president 2016-10-20 rodrigo-duterte
PH president 2024-01-01 ferdinand-marcos-jr
AU prime minister 2003-10-23 john-howard
AU prime minister 2012-01-01 julia-gillard
AU prime minister 2019-09-20 scott-morrison
AU prime minister 2025-07-15 anthony-albanese
NZ prime minister 2005-01-01 helen-clark
NZ prime minister 2019-03-15 jacinda-ardern
BR president 2002-01-01 fernando-henrique-cardoso
BR president 2009-06-16 luiz-inacio-lula-da-silva
BR president 2014-07-15 dilma-rousseff
BR president 2019-11-14 jair-bolsonaro
BR president 2024-11-18 luiz-inacio-lula-da-silva
AR president 2005-11-05 nestor-kirchner
AR president 2012-01-01 cristina-fernandez-de-kirchner
AR president 2018-11-30 mauricio-macri
AR president 2024-02-01 javier-milei
CL president 2010-10-13 sebastian-pinera
CL president 2024-01-01 gabriel-boric
CO president 2008-03-07 alvaro-uribe
CO president 2024-01-01 gustavo-petro
VE president 2007-11-10 hugo-chavez
VE president 2025-12-01 nicolas-maduro
VE president 2026-01-10 delcy-rodriguez
CU president 2001-01-01 fidel-castro
CU president 2016-03-21 raul-castro
PE president 2023-01-01 dina-boluarte
BO president 2010-01-01 evo-morales
EC president 2012-06-19 rafael-correa
SV president 2025-04-14 nayib-bukele
JM prime minister 2024-01-01 andrew-holness
ZA president 2003-01-01 thabo-mbeki
ZA president 2013-03-26 jacob-zuma
ZA president 2025-05-21 cyril-ramaphosa
NG president 2005-07-06 olusegun-obasanjo
NG president 2024-01-01 bola-tinubu
KE president 2010-01-01 mwai-kibaki
KE president 2024-05-23 william-ruto
ET prime minister 2010-01-01 meles-zenawi
ET prime minister 2019-10-11 abiy-ahmed
ZW president 2008-03-29 robert-mugabe
RW president 2025-06-27 paul-kagame
CD president 2025-06-27 felix-tshisekedi
SN president 2025-01-01 bassirou-diomaye-faye
ML president 2024-01-01 assimi-goita
BF president 2023-07-27 ibrahim-traore
TG president 2013-11-25 faure-gnassingbe
CI president 2020-01-01 alassane-ouattara
CM president 2025-11-06 paul-biya
UG president 2016-01-01 yoweri-museveni
VA pope 2005-04-01 john-paul-ii
VA pope 2010-01-01 benedict-xvi
VA pope 2019-02-04 pope-francis
VA pope 2025-05-18 pope-leo-xiv
NATO secretary general 2008-04-03 jaap-de-hoop-scheffer
NATO secretary general 2022-06-29 jens-stoltenberg
NATO secretary general 2025-06-24 mark-rutte
UN secretary-general 2003-03-20 kofi-annan
UN secretary-general 2015-09-28 ban-ki-moon
UN secretary-general 2025-09-23 antonio-guterres
""".strip().splitlines()

ROWS = [(row.split()[0], " ".join(row.split()[1:-2]), row.split()[-2], row.split()[-1]) for row in HELD]


def test_the_roster_knows_who_held_the_office() -> None:
    wrong = []
    for country, word, day, leader in ROWS:
        found = bundled().holder_of_title(country, word, date.fromisoformat(day))
        if found is None or found.id != leader:
            wrong.append(f"{country} {word} {day}: {found.id if found else 'nobody'}, not {leader}")
    assert wrong == []


def test_the_table_is_as_long_as_it_claims() -> None:
    assert len(set(ROWS)) == len(ROWS) >= 250


@pytest.mark.parametrize(
    ("text", "day", "leader"),
    [
        ("EU chief", date(2007, 1, 1), "jose-manuel-barroso"),
        ("European Commission President", date(2018, 7, 25), "jean-claude-juncker"),
        ("European Commission President", date(2025, 7, 27), "ursula-von-der-leyen"),
        ("European Council President", date(2012, 1, 1), "herman-van-rompuy"),
        ("European Council President", date(2018, 1, 1), "donald-tusk"),
        ("European Council President", date(2025, 7, 24), "antonio-costa"),
        ("NATO chief", date(2016, 1, 1), "jens-stoltenberg"),
        ("NATO chief", date(2025, 1, 1), "mark-rutte"),
        ("UN chief", date(2009, 1, 1), "ban-ki-moon"),
        ("African Union Commission chairperson", date(2020, 1, 1), "moussa-faki"),
        ("Kremlin leader", date(2010, 1, 1), "dmitry-medvedev"),
        ("Kremlin leader", date(2024, 1, 1), "vladimir-putin"),
        ("the pope", date(2015, 9, 24), "pope-francis"),
    ],
)
def test_a_phrase_means_the_holder_of_its_day(text: str, day: date, leader: str) -> None:
    roster = bundled()
    phrase = next(phrase for phrase in roster.phrases if phrase.text == text)
    found = roster.holder_of_phrase(phrase, day)
    assert found is not None
    assert found.id == leader
