"""Test the behaviour table of docs/polling.md, rows 105-106: encodings."""

# ruff: noqa: E501  # documents are kept on one line, as they came
from __future__ import annotations

import pytest

from monitor.errors import FeedError
from monitor.feeds.formats.fields.encoding import decode
from monitor.feeds.formats.parse import parse

LABEL = '<?xml version="1.0" encoding="utf-8"?>'
SENTENCES = {
    "French": "Les délégués ont été reçus à l’Élysée, où une réunion s’est achevée « sans éclat », selon la présidence.",
    "Portuguese": "A decisão será anunciada amanhã; o ministro não confirmou as negociações em São Tomé.",
    "Swedish": "Två möten hölls på måndagen i Malmö, där även frågan om gränsen togs upp på nytt.",
    "Spanish": "El canciller llegó el sábado y volverá mañana, según informó su país en Logroño.",
    "German": "Die Gespräche über die Zölle gehen in Köln weiter, heißt es aus größeren Städten.",
    "Danish": "Ministeren mødte sin kollega på Færøerne, hvor de også drøftede fiskeriet.",
    "Finnish": "Pääministeri tapasi tänään vieraansa Hämeenlinnassa, jossa päätettiin yhteistyöstä.",
    "Italian": "Il presidente è andato in città perché la trattativa è più vicina, dirà martedì.",
    "English": "The harbour deal costs £40 and nobody “expects” it to be signed – not today.",
}
OTHERS = {
    "Polish": ("cp1250", "Premier spotkał się z prezydentem w Łodzi, gdzie omówiono żądania związków górniczych."),
    "Czech": ("cp1250", "Předseda vlády řekl, že se příští týden sejde s ministrem v Plzni kvůli dálnici."),
    "Turkish": ("cp1254", "Bakan, görüşmenin ardından köprünün açılışına katılacağını söyledi, ışıklar yandı."),
    "Japanese": ("cp932", "首相は大統領と電話で会談し、港の橋について話し合った。"),
    "Chinese": ("gb18030", "两国部长通电话，讨论港口大桥和铁路的建设问题。"),
    "Korean": ("cp949", "두 장관은 항구 다리와 철도에 대해 전화로 논의했다."),
    "Russian": ("cp1251", "Министры двух стран обсудили по телефону строительство моста через реку."),
    "Greek": ("cp1253", "Ο υπουργός μίλησε στο τηλέφωνο με τον ομόλογό του για τη γέφυρα του λιμανιού."),
}


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("head", [LABEL, ""])
@pytest.mark.parametrize("language", SENTENCES)
def test_row_105_latin_1_under_a_wrong_label_is_windows_1252(language: str, head: str, count: int) -> None:
    document = (
        f"{head}<rss><channel>" + f"<item><title>{SENTENCES[language]}</title></item>" * count + "</channel></rss>"
    )
    found = decode(document.encode("cp1252"), "text/xml; charset=utf-8" if head else "")
    assert (found.text, found.encoding) == (document, "cp1252")
    assert found.problem == ("not valid utf-8" if head else "undeclared encoding")


@pytest.mark.parametrize("language", OTHERS)
def test_row_105_other_languages_have_their_code_pages(language: str) -> None:
    codec, sentence = OTHERS[language]
    document = (
        f"{LABEL}<rss><channel><link>https://a.example/</link><item><title>{sentence}</title></item></channel></rss>"
    )
    assert decode(document.encode(codec)) == (document, codec, "not valid utf-8")


def test_row_105_the_document_names_the_language_where_its_words_are_few() -> None:
    document = f"{LABEL}<rss><channel><language>pl</language><item><title>Łódź</title></item></channel></rss>"
    assert decode(document.encode("cp1250")).text == document


def test_row_105_a_pound_sign_alone_and_bytes_that_windows_leaves_out() -> None:
    assert decode(LABEL.encode() + b"<rss><title>\xa340 bridge toll</title></rss>").text.endswith(
        "£40 bridge toll</title></rss>"
    )
    assert decode(LABEL.encode() + b"<rss><title>\xa3</title></rss>").text.endswith("<title>£</title></rss>")
    odd = b'<?xml version="1.0" encoding="iso-8859-1"?><rss><title>caf\xe9 \x81 \x93quote\x94</title></rss>'
    assert decode(odd).text.endswith("café \x81 “quote”</title></rss>")
    assert decode(odd).encoding == "cp1252"


def test_row_105_a_quotation_in_another_encoding_costs_nobody_else() -> None:
    good = "<title>La réunion à Genève coûte cher, dit-il</title>".encode()
    mixed = decode(b"<rss>" + good + b"<title>Le caf\xe9 \x93ferm\xe9\x94 co\xfbte \xa34</title></rss>")
    assert mixed.encoding == "utf-8"
    assert (
        mixed.text
        == "<rss><title>La réunion à Genève coûte cher, dit-il</title><title>Le café “fermé” coûte £4</title></rss>"
    )
    cut = decode(b"<rss>" + good + b"<title>Cut \xe2\x80</title><title>Cut \xc3...</title></rss>").text
    assert cut.endswith("<title>Cut \ufffd</title><title>Cut \ufffd...</title></rss>")


def titles(document: str) -> list[str]:
    return [entry.title for entry in parse(document.encode()).entries]


def json_feed(*items: str) -> str:
    return '{"version":"https://jsonfeed.org/version/1.1","title":"G","items":[' + ",".join(items) + "]}"


def test_row_106_half_a_surrogate_costs_one_character() -> None:
    assert titles(json_feed(r'{"id":"1","title":"Cut \ud83d"}', '{"id":"2","title":"Whole"}')) == [
        "Cut \ufffd",
        "Whole",
    ]
    assert titles(json_feed(r'{"id":"1","title":"\ude00 low \uD83D\uDE00 pair \uD83Dx"}')) == [
        "\ufffd low \U0001f600 pair \ufffdx"
    ]
    assert titles(json_feed(r'{"id":"1","title":"a path C:\\ud83d stays"}')) == [r"a path C:\ud83d stays"]
    rss = "<rss><channel><item><title>Half &#xD83D; and &#55357;&#56832; whole</title></item><item><title>B</title></item></channel></rss>"
    assert titles(rss) == ["Half and \U0001f600 whole", "B"]


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ('{"id":"1","title":"A line\nbroken"}', "A line broken"),
        ('{"id":"1","title":"A tab\there"}', "A tab here"),
        (r'{"id":"1","title":"It\'s here"}', "It's here"),
        (r'{"id":"1","title":"\x41 odd"}', "x41 odd"),
        ('{"id":"1","title":"comma",}', "comma"),
        ('{"id":"1","title":"text, } with ,] signs",}', "text, } with ,] signs"),
        ('{"id":"1","title":"not a number","size":NaN}', "not a number"),
    ],
)
def test_row_106_what_is_not_quite_json_costs_nothing(item: str, title: str) -> None:
    assert titles(json_feed(item, '{"id":"2","title":"Whole"}')) == [title, "Whole"]


def story(number: int) -> str:
    words = f"<title>Story {number}</title><description>Words of story {number}</description>"
    return f"<item>{words}<link>https://a.example/{number}</link><guid>https://a.example/{number}</guid></item>"


WHOLE = f"<rss version='2.0'><channel><title>T</title>{''.join(map(story, range(4)))}<ttl>60</ttl></channel></rss>"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>' + "".join(
    f"<entry><id>urn:{n}</id><title>Story {n}</title><content>Words {n}</content></entry>" for n in range(4)
) + "</feed>"  # fmt: skip
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    '<channel rdf:about="https://a.example/"><title>T</title></channel>'
    + "".join(
        f'<item rdf:about="urn:{n}"><title>Story {n}</title><link>https://a.example/{n}</link></item>' for n in range(4)
    )
    + "</rdf:RDF>"
)


@pytest.mark.slow
@pytest.mark.parametrize("document", [WHOLE, ATOM, RDF, WHOLE.replace("<item>", "<item><b:x xmlns:b='urn:b'/>")])
def test_row_107_a_document_cut_anywhere_never_gives_half_an_entry(document: str) -> None:
    whole = parse(document.encode())
    assert len(whole.entries) == 4
    assert not whole.incomplete
    end = document.index("item>" if "item>" in document else "entry>", document.index("Story 0")) + 6
    for at in range(end, len(document)):
        found = parse(document[:at].encode())
        complete = document[:at].count("</item>") + document[:at].count("</entry>")
        assert found.entries == whole.entries[:complete], document[at - 30 : at]
        assert found.incomplete == (document[document.rindex("</") : -1] not in document[:at])
    for at in range(20, end - 6, 7):
        with pytest.raises(FeedError) as caught:
            parse(document[:at].encode())
        assert caught.value.reason in {"truncated", "not_a_feed"}


def test_row_107_a_document_that_is_only_untidy_is_whole() -> None:
    untidy = "<rss><channel><item><title>One</title><link>https://a.example/1</link>"
    feed = parse((untidy + "<item><title>Two</title><link>https://a.example/2</link>").encode())
    assert [entry.title for entry in feed.entries] == ["One", "Two"]
    assert not parse((WHOLE + "<!-- made in 0.1 s").encode()).incomplete


def test_row_107_json_that_ends_in_the_middle_is_read_up_to_its_last_whole_item() -> None:
    items = [f'{{"id":"{n}","title":"Item {n}","content_text":"[A] \\"{{word}}, {n}"}}' for n in range(3)]
    document = json_feed(*items)
    for at in range(40, len(document)):
        whole = sum(item in document[:at] for item in items)
        if not whole:
            with pytest.raises(FeedError) as caught:
                parse(document[:at].encode())
            assert caught.value.reason == "truncated"
            continue
        found = parse(document[:at].encode())
        assert [(entry.title, entry.content) for entry in found.entries] == [
            (f"Item {n}", f'[A] "{{word}}, {n}') for n in range(whole)
        ]
        assert found.incomplete


@pytest.mark.parametrize(
    "around", ["%s\n<!-- cached at noon -->", "show(%s);", ")]}',\n%s", "%s}", "\ufeff/**/a.b(%s)"]
)
def test_row_106_what_stands_around_json_costs_nothing(around: str) -> None:
    found = parse((around % json_feed('{"id":"1","title":"One"}')).encode())
    assert [entry.title for entry in found.entries] == ["One"]
    assert not found.incomplete


#: Sentences in languages that are not written in Latin letters, and the encodings that they come in.
SCRIPTS = {
    "ja": ("両首脳は東京で会談し、二国間の関係について話し合った。外相も同席した。", ["euc_jp", "cp932"]),
    "zh": ("两国领导人在北京举行会谈，讨论了双边关系和地区局势。", ["gb18030"]),
    "zh-tw": ("兩國領導人在北京舉行會談,討論了雙邊關係和地區局勢,並就合作交換意見。", ["big5"]),
    "ko": ("양국 정상은 서울에서 회담을 갖고 양국 관계에 대해 논의했다.", ["cp949"]),
    "ru": ("Президенты провели телефонный разговор и обсудили отношения.", ["cp1251", "koi8_r", "iso8859_5"]),
    "el": ("Οι δύο ηγέτες συναντήθηκαν στην Αθήνα και συζήτησαν.", ["cp1253"]),
    "he": ("שני המנהיגים נפגשו בירושלים ודנו ביחסים בין המדינות", ["cp1255"]),
    "ar": ("التقى الزعيمان في القاهرة وناقشا العلاقات بين البلدين", ["cp1256"]),
    "th": ("ผู้นำทั้งสองพบกันที่กรุงเทพและหารือเรื่องความสัมพันธ์", ["cp874"]),
}  # fmt: skip


def labelled(sentence: str, encoding: str, label: str) -> str:
    head = f"<?xml version='1.0' encoding='{label}'?>" if label else ""
    return parse((head + rss_of(sentence)).encode(encoding)).entries[0].title


def rss_of(sentence: str) -> str:
    return f"<rss version='2.0'><channel><item><title>{sentence}</title></item></channel></rss>"


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "us-ascii", "utf-8", "", "iso-8859-2"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_row_129_a_latin_label_on_another_script_is_not_believed(script: str, label: str) -> None:
    sentence, encodings = SCRIPTS[script]
    assert [labelled(sentence, encoding, label) for encoding in encodings] == [sentence] * len(encodings)


@pytest.mark.parametrize("label", ["shift_jis", "euc-jp", "gb2312", "big5", "euc-kr"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_row_129_nor_is_that_of_another_language_of_east_asia(script: str, label: str) -> None:
    sentence, encodings = SCRIPTS[script]
    assert [labelled(sentence, encoding, label) for encoding in encodings] == [sentence] * len(encodings)


@pytest.mark.parametrize(
    ("sentence", "encoding"),
    [(OTHERS[language][1], OTHERS[language][0]) for language in ("Polish", "Czech", "Turkish")],
)  # fmt: skip
def test_row_129_a_latin_label_on_a_language_with_another_code_page(sentence: str, encoding: str) -> None:
    assert labelled(sentence, encoding, "iso-8859-1") == sentence


def test_row_129_a_right_label_is_believed() -> None:
    for sentence, encodings in SCRIPTS.values():
        assert {labelled(sentence, encoding, encoding.replace("_", "-")) for encoding in encodings} == {sentence}
    assert labelled("Le président à Orléans", "cp1252", "iso-8859-1") == "Le président à Orléans"


def test_row_129_escapes_show_seven_bit_encodings_without_a_label() -> None:
    for label in ("", "utf-8", "iso-8859-1"):
        assert labelled(SCRIPTS["ja"][0], "iso2022_jp", label) == SCRIPTS["ja"][0]
        assert labelled(SCRIPTS["ko"][0], "iso2022_kr", label) == SCRIPTS["ko"][0]


# ---- 135: short texts in Latin letters ----

#: Language: the encodings it came in, and a headline that is too short for its words to show the language well.
SHORT = {
    "cs": (("cp1250", "iso8859-2"), "Český premiér přijal kancléře"),
    "sk": (("cp1250", "iso8859-2"), "Predseda vlády prišiel do Košíc"),
    "pl": (("cp1250", "iso8859-2"), "Premier przyjął gości w Łodzi"),
    "hu": (("cp1250", "iso8859-2"), "Fogadták a külügyminisztert Győrben"),
    "ro": (("cp1250", "iso8859-2"), "Preşedintele s-a întâlnit cu premierul"),
    "hr": (("cp1250", "iso8859-2"), "Više čvrstih mjera najavio je premijer"),
    "tr": (("cp1254",), "Cumhurbaşkanı başbakanla görüştü"),
    "lt": (("cp1257", "iso8859-13"), "Prezidentas aptarė šį klausimą"),
    "lv": (("cp1257", "iso8859-13"), "Prezidents Rīgā runāja par drošību"),
    "fr": (("cp1252", "iso8859-15"), "Le président reçoit à l'Élysée"),
    "de": (("cp1252", "iso8859-15"), "Gespräche über die Brücke in Köln"),
    "is": (("cp1252",), "Forsetinn fór á fund ráðherrans í gær"),
}


@pytest.mark.parametrize("label", ["utf-8", "iso-8859-1", "iso-8859-2", "windows-1250", ""])
@pytest.mark.parametrize("language", SHORT)
def test_row_135_a_short_text_shows_its_encoding_by_its_letters(language: str, label: str) -> None:
    encodings, title = SHORT[language]
    for encoding in encodings:
        said = f' encoding="{label}"' if label else ""
        document = f'<?xml version="1.0"{said}?><rss><channel><item><title>{title}</title></item></channel></rss>'
        assert decode(document.encode(encoding)).text == document, encoding


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("iso8859-15", "Le prix: 5€, un cœur"), ("cp1252", "Le prix: 5€, un cœur"), ("cp1250", "Müller und Söhne"),
        ("iso8859-2", "Rozmowy w Łodzi z panią Müller, że źle się działo"), ("cp1254", "İşte bakanın sözleri"), ("cp1257", "Žodis"),
    ],
)  # fmt: skip
def test_row_135_a_right_label_is_believed_whatever_the_language(encoding: str, title: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding}"?><rss><title>{title}</title></rss>'
    assert decode(document.encode(encoding)).text == document


def test_row_135_a_charset_after_a_colon_is_one() -> None:
    document = "<rss><title>Переговоры в Москве</title></rss>"
    assert decode(document.encode("koi8-r"), "text/xml; charset: koi8-r").text == document
    short = "<rss><title>Prahu č. 5</title></rss>"
    assert decode(short.encode("cp1250"), "application/rss+xml; charset: windows-1250").text == short


def test_row_135_units_and_quotations_are_no_letters() -> None:
    document = '<?xml version="1.0" encoding="utf-8"?><rss><title>5 km² at 20°C, nº 4, £5bn: “so be it” – ½ of it</title></rss>'
    assert decode(document.encode("cp1252")).text == document


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_row_135_utf_16_without_a_mark_may_begin_with_white_space(encoding: str) -> None:
    document = '\r\n <?xml version="1.0" encoding="utf-16"?><rss><title>Gespräche</title></rss>'
    assert decode(document.encode(encoding)).text == document


# ---- 140: names of encodings ----


@pytest.mark.parametrize("by", ["the declaration", "the header"])
@pytest.mark.parametrize(
    ("label", "encoding", "title"),
    [
        ("macintosh", "mac_roman", "Les délégués ont été reçus à l’Élysée"),
        ("x-mac-roman", "mac_roman", "Gespräche über die Brücke in Köln"),
        ("X-Mac-Cyrillic", "mac_cyrillic", "Министры двух стран обсудили мост"),
        ("x-mac-ukrainian", "mac_cyrillic", "МІНІСТРИ обговорили міст"),
        ("x-mac-ce", "mac_latin2", "Premier spotkał się z prezydentem w Łodzi"),
        ("x-mac-greek", "mac_greek", "Ο υπουργός μίλησε στο τηλέφωνο"),
        ("x-mac-turkish", "mac_turkish", "Bakan köprünün açılışına katıldı, ışıklar yandı"),
        ("iso-8859-8-i", "iso8859_8", "שר החוץ נפגש עם עמיתו"),
        ("logical", "iso8859_8", "שר החוץ נפגש עם עמיתו"),
        ("sun_eu_greek", "iso8859_7", "Ο υπουργός μίλησε στο τηλέφωνο"),
        ("koi8-ru", "koi8_u", "Міністри двох країн обговорили міст"),
        ("windows-31j", "cp932", "首相は大統領と電話で会談した"),
        ("windows-949", "cp949", "두 장관은 전화로 논의했다"),
        ("cn-big5", "big5", "兩國部長通電話討論大橋"),
        ("csgb2312", "gb2312", "两国部长通电话讨论大桥"),
        ("dos-874", "cp874", "นายกรัฐมนตรีพบประธานาธิบดี"),
        ("x-cp1250", "cp1250", "Předseda vlády řekl, že přijede"),
        ("win-1251", "cp1251", "Переговоры министров в Москве"),
        ("utf8mb4", "utf-8", "Réunion à Genève"),
    ],
)  # fmt: skip
def test_row_140_each_name_of_an_encoding_in_browsers_is_known(label: str, encoding: str, title: str, by: str) -> None:
    declared = f' encoding="{label}"' if by == "the declaration" else ""
    document = f'<?xml version="1.0"{declared}?><rss><channel><item><title>{title}</title></item></channel></rss>'
    found = decode(document.encode(encoding), "" if declared else f"text/xml; charset={label}")
    assert found.text == document


def test_row_140_a_name_of_a_mac_encoding_on_other_bytes_is_not_believed() -> None:
    document = "<rss><channel><item><title>Министры двух стран обсудили по телефону мост</title></item></channel></rss>"
    assert decode(document.encode(), "text/xml; charset=x-mac-cyrillic").text == document
    assert decode(document.encode("koi8-r"), "text/xml; charset=x-mac-greek").text == document
