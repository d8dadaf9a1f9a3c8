"""Everything the page says, in English and in Chinese."""

from collections.abc import Iterator, Mapping

LANGUAGES = ("en", "zh")

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Rate a face", "人脸评分"),
    "other_language": ("中文", "English"),
    "lead": (
        "A small network, trained from scratch, estimates how 60 raters would score a frontal portrait, from 1 to 5, "
        "and shows which parts of the picture moved its score.",
        "一个从零训练的小型神经网络，估计 60 位评分者会给一张正面肖像打多少分（1 到 5），"
        "并显示图片的哪些部分影响了分数。",
    ),
    "private": (
        "Your photo stays on this computer: it is not stored, not logged, and sent nowhere.",
        "您的照片不会离开这台电脑：不保存、不记录、不发送到任何地方。",
    ),
    "private_there": (
        "Your photo goes to the computer that serves this page and no further; it is not stored there, and not logged.",
        "您的照片只发送到提供本页面的电脑，不会转发到别处，也不会被保存或记录。",
    ),
    "choose": ("Choose photos", "选择照片"),
    "drop": ("or drop or paste them here", "或拖放、粘贴到这里"),
    "camera": ("Use the camera", "使用摄像头"),
    "shoot": ("Take the picture", "拍照"),
    "stop": ("Stop the camera", "关闭摄像头"),
    "no_camera": ("The camera cannot be used.", "无法使用摄像头。"),
    "camera_view": ("What the camera sees", "摄像头画面"),
    "also_why": ("Also say what moved the score (some ten seconds)", "同时说明分数的来由（约十秒）"),
    "pair": ("Two photos of one person: before and after", "同一个人的前后对比照（两张）"),
    "swap": ("Swap before and after", "交换前后顺序"),
    "pair_needs": (
        "Before and after takes two photos with one face each.",
        "前后对比需要两张照片，每张只有一张脸。",
    ),
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "semicolon": ("; ", "；"),
    "list": (", ", "、"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "send": ("Score", "评分"),
    "working": ("Scoring ...", "正在评分……"),
    "explaining": ("Looking for what moved the score", "正在分析分数的来由"),
    "results": ("Results", "结果"),
    "of_5": ("of 5", "（满分 5 分）"),
    "level": ("Level {level} of 5: the score, rounded", "等级 {level}（共 5 级，即四舍五入的分数）"),
    "higher": ("higher than {share} % of the {rated} rated faces", "高于 {rated} 张已评分人脸中的 {share} %"),
    "interval": (
        "Nine times in ten the raters' mean would lie between {low} and {high}.",
        "十次中有九次，评分者的平均分会在 {low} 到 {high} 之间。",
    ),
    "no_interval": ("How far it may be off was not measured for these weights.", "这组权重尚未测定误差范围。"),
    "scale": (
        "The scores of the {rated} rated faces, and where this one lies",
        "{rated} 张已评分人脸的分数分布，以及本照片的位置",
    ),
    "face": ("Face {face} of {faces}", "第 {face} 张脸，共 {faces} 张"),
    "pick": ("Several faces were found. Pick one:", "找到多张人脸。请选择："),
    "every": ("All faces", "所有人脸"),
    "careful": ("This score means little: {why}.", "此分数意义不大：{why}。"),
    "small": ("the face is small", "人脸太小"),
    "blurred": ("the photo is blurred", "照片模糊"),
    "dark": ("the photo is dark", "照片太暗"),
    "bright": ("the photo is too bright", "照片过亮"),
    "grey": ("the photo has no colour", "照片是黑白的"),
    "turned": ("the head is turned", "头部偏转"),
    "unsure": ("it is doubtful whether this is a face", "不能确定这是人脸"),
    "why": ("Why this score?", "为什么是这个分数？"),
    "why_title": ("What moved this score", "分数的来由"),
    "why_words": (
        "With every region painted over, the network gives {reference}; for this photo {score}. Each region gets its "
        "share of the difference, in rating points. This is what moves the score in this network, not why a face is "
        "beautiful.",
        "把所有区域涂掉时，神经网络给出 {reference} 分；对这张照片给出 {score} 分。差值按区域分配，单位为分。"
        "它说明在这个神经网络中什么影响了分数，而不是一张脸为什么美。",
    ),
    "proved": (
        "Tested on other photos: as a map over the face, these numbers say better what the score hangs on than maps "
        "that know nothing of the network.",
        "已在其他照片上检验：作为人脸上的图，这些数值比对神经网络一无所知的图更能说明分数取决于什么。",
    ),
    "unproved": (
        "Whether these numbers are true of the network was never tested for these weights.",
        "这些数值是否真实反映神经网络，尚未对这组权重检验。",
    ),
    "unread": (
        "What the regions did is not shown: for these weights it did not stand the test against maps that know nothing "
        "of the network.",
        "不显示各区域的影响：对这组权重，它没有通过与一无所知的图的对比检验。",
    ),
    "measured_on": (
        "Measured on {network}, a network of the same recipe that has not learnt from the photos it was tested on.",
        "以上在 {network} 上测得：配方相同，且未学习过用于检验的照片。",
    ),
    "agree": (
        "Another way to take a region away gives other numbers (over {photos} faces: correlation {pearson}, on average "
        "{gap} points apart, the same region first on {first} %): what a region adds to one that is painted over is "
        "another question than what it adds to other people's.",
        "换一种去除区域的方法会得到不同的数值（在 {photos} 张人脸上：相关系数 {pearson}，平均相差 {gap} 分，"
        "{first} % 的人脸上排第一的区域相同）：与涂掉的区域相比，和与他人的同一区域相比，是两个不同的问题。",
    ),
    "overlay": (
        "The face, orange where a region raised the score, purple where it lowered it",
        "人脸：橙色区域提高了分数，紫色区域降低了分数",
    ),
    "crop": ("The face as it was cut out", "裁剪出的人脸"),
    "raises": ("raises", "提高"),
    "lowers": ("lowers", "降低"),
    "region": ("Region", "区域"),
    "points": ("points", "分"),
    "comparison": ("Comparison", "比较"),
    "higher_than": (
        "{high} scores {gap} higher than {low}: more than the ± {reach} of the two scores.",
        "{high} 比 {low} 高 {gap} 分：超过两个分数的误差 ± {reach}。",
    ),
    "tie": (
        "{high} and {low} differ by {gap}, less than the ± {reach} of the two scores: a tie.",
        "{high} 与 {low} 相差 {gap} 分，小于两个分数的误差 ± {reach}：不分高下。",
    ),
    "unknown": (
        "{high} scores {gap} higher than {low}; how large a difference must be to mean anything was not measured.",
        "{high} 比 {low} 高 {gap} 分；多大的差别才有意义，尚未测定。",
    ),
    "pair_up": (
        "After scores {gap} higher than before: more than the ± {reach} of the two scores.",
        "“之后”的照片比“之前”高 {gap} 分：超过两个分数的误差 ± {reach}。",
    ),
    "pair_down": (
        "After scores {gap} lower than before: more than the ± {reach} of the two scores.",
        "“之后”的照片比“之前”低 {gap} 分：超过两个分数的误差 ± {reach}。",
    ),
    "pair_tie": (
        "Before and after differ by {gap}, less than the ± {reach} of the two scores: no change that means anything.",
        "前后两张照片相差 {gap} 分，小于两个分数的误差 ± {reach}：没有可靠的变化。",
    ),
    "pair_unknown": (
        "Before and after differ by {gap}; how large a change must be to mean anything was not measured.",
        "前后两张照片相差 {gap} 分；多大的变化才有意义，尚未测定。",
    ),
    "about": (
        "An estimate of the mean taste of 60 raters, made on this computer. It measures nobody's worth.",
        "对 60 位评分者平均喜好的估计，在本机计算。它不衡量任何人的价值。",
    ),
    "save_picture": ("Save as a picture", "保存为图片"),
    "save_json": ("Save as JSON", "保存为 JSON"),
    "honest_title": ("What the number is", "这个数字是什么"),
    "honest": (
        "It estimates the mean taste of 60 raters of one place and age about frontal photos of Asian and Caucasian "
        "faces, 15 to 60 years old (SCUT-FBP5500). It measures nobody's worth, and must decide nothing about anyone. "
        "Use it on photos of yourself and of adults who consent. Light, lens, make-up and a smile move it. It was "
        "learnt from no other origins and ages: for them it means little.",
        "它估计的是同一地区、相近年龄的 60 位评分者对 15 至 60 岁亚洲人和白人正面照片的平均喜好（SCUT-FBP5500）。"
        "它不衡量任何人的价值，也不得用来对任何人做决定。请只用于您本人的照片，以及已同意的成年人的照片。"
        "光线、镜头、化妆和微笑都会影响分数。它没有学过其他族裔和年龄的人脸：对他们，分数意义不大。",
    ),
    "groups": (
        "How well this recipe agrees with the raters: {network}, on photos it has not learnt from",
        "此配方与评分者的一致程度：{network}，在未学习过的照片上",
    ),
    "group": ("Photos", "照片"),
    "correlation": ("Correlation", "相关系数"),
    "error": ("Mean error, points", "平均误差（分）"),
    "all": ("all", "全部"),
    "AF": ("Asian women", "亚洲女性"),
    "AM": ("Asian men", "亚洲男性"),
    "CF": ("Caucasian women", "白人女性"),
    "CM": ("Caucasian men", "白人男性"),
    "eyes": ("eyes", "眼睛"),
    "brows": ("brows", "眉毛"),
    "nose": ("nose", "鼻子"),
    "mouth": ("mouth", "嘴"),
    "cheeks": ("cheeks", "脸颊"),
    "forehead": ("forehead", "额头"),
    "jaw and chin": ("jaw and chin", "下颌和下巴"),
    "hair and ears": ("hair and ears", "头发和耳朵"),
    "neck and clothes": ("neck and clothes", "颈部和衣服"),
    "background": ("background", "背景"),
    "no_face": ("No face seen from the front was found.", "没有找到正面人脸。"),
    "no_photos": ("Please choose 1 to {most} photos.", "请选择 1 到 {most} 张照片。"),
    "unreadable": ("The file is damaged, or no picture that can be read here.", "文件已损坏，或不是可读取的图片。"),
    "too_small": ("The picture is too small.", "图片太小。"),
    "too_large": ("The picture is too large.", "图片太大。"),
    "too_many_faces": ("There are too many faces in the photo.", "照片中人脸太多。"),
    "busy": ("Too much is going on; please try again in a few seconds.", "当前繁忙，请几秒后再试。"),
    "too_long": ("This took too long and was given up.", "用时过长，已放弃。"),
    "refused": ("The request was refused.", "请求被拒绝。"),
    "broken": ("Something went wrong here, which is not your mistake.", "程序出错了，这不是您的问题。"),
    "failed": ("That did not work.", "操作未成功。"),
    "lost": ("No answer came.", "没有收到回应。"),
}  # fmt: skip


class Texts(Mapping[str, str]):
    """What the page says in one language: `texts["key"]`, and `texts.say("key", name=value)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __getitem__(self, key: str) -> str:
        return _TEXTS[key][self._column]

    def __iter__(self) -> Iterator[str]:
        return iter(_TEXTS)

    def __len__(self) -> int:
        return len(_TEXTS)

    def say(self, key: str, **values: object) -> str:
        """A text with its gaps filled."""
        return self[key].format(**values)
