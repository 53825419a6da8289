"""
Words that say little about the subject of a text, where the lists of bm25s have none or too few.

Those lists lack Romanian and Hindi, most forms of the Russian pronouns, and
the Turkish words of questions, postpositions and auxiliary verbs.
"""

FUNCTION_WORDS = {
    "romanian": """
        a acea această aceasta acel acela acele acest acesta aceste acestea acestor acestui acum ai
        al ale am ar are asta astfel atunci au avea avut ca care căror cărei cărui că ce cea cei
        cel cele celor către cine cu cum când cât câte câți da dacă dar de deci despre din dintre
        după e ea ei el ele era erau este eu fi fie fiind foarte fost iar în între îi își îl la le
        li lor lui mai mult multe mulți ne nici noi nu o or pe pentru prin printre până s sa sale
        sau se si spre sub sunt său săi și te toate tot toți u ul un una unde unei unele unor unui
        va vom vor într într
    """,
    "hindi": """
        अपना अपनी अपने अब आप इन इस इसका इसकी इसके इसे उन उनका उनकी उनके उन्हें उस उसका उसकी उसके
        उसे एक ऐसा ऐसी ऐसे और कब कर करता करती करते करना करने कहाँ कहां का कि कितना कितनी कितने किन
        किया किस किसका किसकी किसके किसने किसी किसे की कुछ के कैसा कैसी कैसे को कोई कौन कौनसा क्या
        क्यों गई गए गया गयी गये जब जा जाता जाती जाते जाना जाने जिन जिस जिसका जिसकी जिसके जिसने
        जिसमें जिसे जैसे जो तक तथा तब तो था थी थीं थे द्वारा दिया न नहीं ने पर फिर बाद भी में मैं
        यदि यह यहाँ यहां या ये रहा रही रहे लिए लेकिन वह वहाँ वहां वाला वाली वाले वे व से सकता सकती
        सकते साथ सी हम ही हुआ हुई हुए हूँ है हैं हो होता होती होते होना होने
    """,
    "russian": """
        будут была были было весь всей всем всеми всему всё вся другая другие других другого другое
        другом другому другую каких какие каким какими каков какова каково каковы какого какое каком
        какому какую кем кого кому которая которого которое которой котором которому которую которые
        который которым которыми которых могут называется называются назывался называлась называлось
        назывались нему нём почему самая самого самое самой самом самую самые самый самым самых свое
        своего своей своем своему свои своим своими своих свой своё сколько скольких такая такие
        таким такими таких такого такое такой таком такую те тех чему чья чье чьего чьей чьем чьему
        чьи чьим чьих эта этим этими этих это этому является являются являлся являлась являлись
    """,
    "turkish": """
        adlandırılır arasında arasındaki ardından bulunan bulunur denilen denir deniyor dolayı eden
        eder edildi edilen edilir edilmiştir ediyor etmek etmiştir etti ettiler ettiği göre
        hakkında hangi hangileri hangisi hangisidir ile ilgili içerisinde içinde kadar karşı kaç
        kaçtır kaçıncı kim kimdi kimdir kime kimi kimin kimler kimlerdi nasıl nasıldı nasıldır ne
        neden nedir neler nelerdi nelerdir nelere neleri nerede nereden neresi neresidir nereye
        neydi niçin olan olarak oldu oldular olduğu olduğunu olmak olması olmuştur olur oluyor
        sonra sırasında tarafından var vardı vardır yapan yaptı yapılan yapıldı yapılır yüzünden
        çok önce üzerinde üzerine
    """,  # noqa: RUF001 - Turkish has a letter i without a dot
}
"""By the name of the language's Snowball stemmer."""

CHINESE_PARTICLES = frozenset(
    "的了是在和与及或而之也就都被把从对以为于其这那哪谁什么吗呢着得何几个些"
)
"""Characters that are mostly grammatical in Chinese."""
