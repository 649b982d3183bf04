"""How amendments are worded in English and Chinese: the patterns by which `amending` finds what a sentence changes.

No pattern repeats without a limit but for blanks between sentences and for what stands in quotation marks, of which
each character is read once: the time grows with the length of a text alone.
"""

from __future__ import annotations

import re

from ingest.clauses import CHINESE_DIGITS

_BE = r"(?:is|are|(?:shall|will)\s{1,3}be)"
_HOW = r"(?:(?:hereby|further|also|each|both|accordingly|mutually)\s{1,3}){0,3}"
_ENDED = r"deleted|removed|cancelled|canceled|repealed|revoked|rescinded|struck\s{1,3}out|stricken"
_CHANGED = rf"(?:amended|replaced|restated|modified|varied|superseded|revised|substituted|{_ENDED})"
# What happens to a clause only where it is said to be done "hereby": "the term of clause 3 is extended if ...".
_CHANGED_HEREBY = r"(?:extended|shortened|increased|reduced|decreased|corrected|updated|changed|terminated)"
# "Clause 4.1 is hereby deleted"; that a clause "may be amended" changes nothing.
PASSIVE = re.compile(
    rf"(?<!that\s)(?<!which\s)(?<!\bit\s)\b{_BE}\s{{1,3}}{_HOW}{_CHANGED}\b|\b{_BE}\s{{1,3}}hereby\s{{1,3}}{_CHANGED_HEREBY}\b"
    r"|\b(?:shall|will)\s{1,3}(?:(?:now|henceforth|hereafter|instead)\s{1,3})?read\b"
    rf"|\b{_BE}\s{{1,3}}{_HOW}of\s{{1,3}}no\s{{1,3}}(?:(?:further|more)\s{{1,3}})?(?:force|effect)\b"
    r"|\b(?:shall|will)\s{1,3}(?:no\s{1,3}longer\s{1,3}apply|cease\s{1,3}to\s{1,3}(?:apply|have\s{1,3}effect))\b"
    r"|(?:修改|变更|调整|修订|替换|更改|更正)[为成]|改为|(?:修改|变更|调整|修订)如下|[作予]以?出?[如以]下(?:修改|变更|调整|修订)"
    r"|进行(?:如下)?(?:修改|变更|修订)|(?:延长|推迟|提前)[至到]|删除(?!了|第|原|附|《)|被取代"
    r"|(?:予以|即行|同时)?废止|不再(?:适用|执行|履行|有效)"
)
# "... shall replace Section 3(e)", "is amended by deleting Section 5.2", "The parties agree to amend Section 7"
ACTIVE = re.compile(
    r"\b(?:hereby\s{1,3}(?:amends?|deletes?|replaces?|restates?|modif(?:y|ies)|var(?:y|ies))"
    r"|shall\s{1,3}(?:replace|supersede)|agreed?\s{1,3}to\s{1,3}(?:amend|delete|replace|modify|vary)"
    r"|amended\s{1,3}by\s{1,3}(?:deleting|replacing|amending|modifying|substituting))\b"
    r"|^\W{0,3}(?:[a-z\d]{1,4}(?:\.\d{1,3}){0,5}[.)]{0,2}\s{1,3})?"
    r"(?:by\s{1,3})?(?:(?i:delet|replac|amend|substitut)(?:ing|e)?)\s{1,3}"
    r"(?=(?:the\s{1,3}(?:\w{1,15}\s{1,3}){1,3}of\s{1,3})?(?i:section|clause|article|paragraph|schedule|exhibit|annex))"
    r"|删除(?=第|原|附|《)|(?:替换|取代|代替)(?![为成])|(?:同意|决定|约定|现|兹)(?:修改|变更|修订|废止)(?=第|原|附|《)"
)
# Where no clause is named, it is a whole document that ends or is restated.
_DOCUMENT = (
    r"(?:(?:Agreement|Contract|Lease|Licen[cs]e|Deed|Indenture|Plan|Note|Letter|Order|Terms|Policy|Amendment"
    r"|Addendum|Supplement|Statement\s{1,3}of\s{1,3}Work|MSA|DPA|SOW|NDA|SLA)s?\b)"
)
_NAMED = rf"(?:[A-Z][\w’'&.-]{{0,30}}\s{{1,3}}){{0,8}}?{_DOCUMENT}"
_CHINESE_TITLE = r"《[^《》\n]{2,40}(?:合同|协议|协议书|合约|条款|订单|备忘录)》"
_CHINESE_NAMED = rf"(?:{_CHINESE_TITLE}|(?:原|主)(?:合同|协议))"
# An agreement by its name, wherever it stands.
NAMED = re.compile(rf"\b(?!(?:The|That|Said|This)\s){_NAMED}|{_CHINESE_NAMED}")
_RESTATES = r"amend(?:ed|s)?\s{1,3}and\s{1,3}restate[ds]?\s{1,3}in\s{1,3}(?:its|their)\s{1,3}entirety"
OF_WHOLE = re.compile(
    rf"\b(?i:the|that|said)\s{{1,3}}(?:certain\s{{1,3}})?{_NAMED}[^;]{{0,160}}?\b{_BE}\s{{1,3}}"
    rf"(?:hereby\s{{1,3}}(?:mutually\s{{1,3}})?(?:terminated|cancelled|rescinded|superseded|replaced)|{_HOW}{_RESTATES})"
    r"|\b(?:hereby|agreed?)\s{1,3}(?:(?:mutually|agree)\s{1,3}){0,2}(?:to\s{1,3})?(?:terminate|cancel|rescind)\s{1,3}"
    rf"(?:the|that|said)\s{{1,3}}(?:certain\s{{1,3}})?{_NAMED}"
    r"|\b(?:amends\s{1,3}and\s{1,3}restates|(?:supersedes|replaces)(?:\s{1,3}and\s{1,3}replaces)?)\b"
    rf"[^;.]{{0,40}}\b(?:the|that|said)\s{{1,3}}(?:certain\s{{1,3}})?{_NAMED}"
    rf"|{_CHINESE_NAMED}[^，。；\n]{{0,30}}[，,]?[^，。；\n]{{0,30}}(?:终止|解除|废止|作废|失效)(?![后前时的])"
    rf"|(?:同意|决定)[^，。；\n]{{0,20}}(?:终止|解除|废止)[^，。；\n]{{0,10}}{_CHINESE_NAMED}"
)
IS_RESTATED = re.compile(r"restate|supersede|replace")

# What says that a change is one day possible: at the head of the sentence, before the verb, and behind it.
IF_FIRST = re.compile(
    r"\W{0,3}(?:[\w.]{1,8}\W{1,3})?"
    r"(?i:if|unless|where|when|whenever|should|in\s{1,3}the\s{1,3}event|to\s{1,3}the\s{1,3}extent)\b"
)
IF = re.compile(
    r"\b(?i:if|unless|whenever|in\s{1,3}(?:the\s{1,3}event|case)|following\s{1,3}(?:the|any|such|a)|(?:under|by)\s{1,3}(?:section|clause|article))\b"
    r"|\b(?:when|once|where)\s{1,3}(?:any\s{1,3}of\s{1,3})?(?:the\s{1,3})?"
    r"(?i:section|clause|article|paragraph|agreement)"
    r"|不得|不可|不应|未经|除非|如果|如(?![下上])|若|(?<![认许])可(?!行)|有权"
)
BEHIND_IF = re.compile(r"\s{0,3}(?:only|solely|unless|except|if|when|from\s{1,3}time\s{1,3}to\s{1,3}time)\b")

# Where an article is amended by a new section, those that it has are as they were.
ADDS = re.compile(
    r"\bby\s{1,3}(?:inserting|adding|(?:the\s{1,3})?addition\s{1,3}of)\b[^;]{0,80}?"
    r"\b(?:new|following)\s{1,3}(?i:section|clause|article|paragraph)\b|[后中]?(?:增加|新增)一?[条款]"
)

# Places that the sentence names beside those that it changes: its own, its grounds, and what was amended before.
OWN_PLACE = re.compile(
    r"\bthis\s{1,3}(?i:section|clause|paragraph|article)\s{1,3}[\w.()]{1,12}"
    r"|(?i:section|clause|paragraph|article)s?\s{1,3}[\w.()]{1,12}\s{1,3}(?:(?:hereof|herein|below|above)\b"
    r"|(?:of|to)\s{1,3}this\s{1,3}(?:\w{1,20}\s{1,3}){0,3}?(?:Amendment|Addendum|Supplement|Letter)\b)"
    rf"|本(?:补充|修订|变更)?协议的?第[{CHINESE_DIGITS}\d.]{{1,9}}[条款]"
)
# The number of the sentence itself: "Section 2.1 Section 5 of the Agreement is ...", 第一条 原合同第五条...
OWN_NUMBER = re.compile(
    r"\W{0,3}(?:(?i:section|article|clause|paragraph)\s{1,3}[\w.()]{1,10}[.:]?\s{1,3}(?=[A-Z])"
    rf"|第[{CHINESE_DIGITS}\d]{{1,9}}条[\s：:、]{{1,3}})"
)
GROUNDS = re.compile(
    r"(?i:\b(?:pursuant\s{1,3}to|in\s{1,3}accordance\s{1,3}with|subject\s{1,3}to|notwithstanding|as\s{1,3}permitted\s{1,3}by))"
    r"\b[^,;]{1,200}?,(?!\s?\d)|(?:根据|依据|按照|依照|鉴于)[^，；。]{1,60}，"
)
AS_AMENDED = re.compile(
    r",?\s{0,3}\(?\bas\s{1,3}(?:(?:previously|further|heretofore|last|most\s{1,3}recently)\s{1,3}){0,2}"
    r"(?:amended|modified|replaced|restated|supplemented)\b[^,;)]{0,120}[),]?|[（(]经[^（）()]{1,60}[）)]"
)
# Which document's clause it is, said beside its number: "of the Original Agreement", 《采购合同》第五条.
OF_DOCUMENT = re.compile(
    r",?\s{1,3}(?:of|to|in|under)\s{1,3}(?:(?:the|that|said|such|our|certain|original|existing)\s{1,3}){0,3}"
    rf"(?:{_NAMED}(?:\s{{1,3}}(?:No\.|Number)\s{{0,2}}[\w-]{{1,10}})?"
    r"|(?:[A-Z][\w’'&.-]{0,30}\s{1,3}){1,6}(?=is|are|shall|will|by|and|as|from|so|to\b))"
    rf"|(?:{_CHINESE_TITLE}(?:补充协议)?|(?:第[一二三四五]次|首次)?补充协议[一二三四五]?)"
    r"[（(]?(?:以下简称[^（）()]{0,20}[)）])?(?:的|之|中|项下)?\s?(?=第|附)"
)
# "Sections 3.2 to 3.4", 第五条至第八条.
_NUMBER = rf"(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,5}}(?![\w(]|\.\d)|第[{CHINESE_DIGITS}\d]{{1,4}}条)"
RANGE = re.compile(
    rf"(?P<first>{_NUMBER})\s{{0,3}}(?:\b(?:to|through|until)\b|[-–—至到])\s{{0,3}}"
    rf"(?:(?i:section|clause|article|paragraph)s?\s{{1,3}})?(?P<last>{_NUMBER})"
)
OF_LAW = re.compile(r"\b(?:Act|Code|Rules?|Regulations?|Directive|Statutes?|Treaty|Law)\s{0,3}$")
OF_AMENDMENT = re.compile(
    r"\b(?:Amendment|Addendum|Supplement(?=\s{1,3}(?:No\b|to\b|\d))|Side\s{1,3}Letter)s?\b|\bSupplemental\b"
    r"|补充(?:协议|合同|条款)|(?:修订|变更|修改)(?:协议|合同)"
)

ENDS = re.compile(
    rf"\b(?:{_ENDED}|terminated|no\s{{1,3}}(?:(?:further|more)\s{{1,3}})?(?:force|effect)|no\s{{1,3}}longer|cease|delet)"
    r"|删除|废止|不再"
)
NEW_WORDS = re.compile(
    r"\b(?:replac|substitut|restat|insert|amended|revised|read|in\s{1,3}lieu)|in\s{1,3}(?:its|their)\s{1,3}(?:place|stead)"
    r"|替换|取代|代之|改为|修改|变更|增加|新增"
)
IN_ITS_PLACE = re.compile(
    r"in\s{1,3}(?:its|their)\s{1,3}(?:place|stead)|in\s{1,3}lieu|\b(?:is|are|be)\s{1,3}(?:hereby\s{1,3})?(?:inserted|substituted)"
    r"|代之以|取而代之"
)
PART = re.compile(
    r"\b(?:sentence|word|phrase|reference|proviso|definition|figure|line|row|entry|bullet|term)s?\b|…(?!\s?[)）])"
    r"|\b(?:in|from|under)\s{1,3}(?i:section|clause|article|paragraph|schedule)|[条款项]中|句|词|字样|表述|文字|数字"
)

SENTENCE_END = re.compile(
    r"(?<=[.;:])(?<!\b[Nn]o\.)(?<!\b[Ss]ec\.)(?<!\b[Aa]rt\.)(?<!\b[Cc]l\.)\s+(?=[A-Z(“\"\d])|(?<=[。；：])|\n"
)
# Behind a digit the mark is that of inches or closes a quotation, behind a full stop it closes one.
STRAIGHT_QUOTATION = re.compile(r"(?<![\d.])\"[^\"]*\"?")
