"""Sentences of the page, as in wording.py: cautions, "how to read this", and what is said of many photos."""

from beauty_evaluate.phrases import WARNINGS

_WARNINGS_IN_CHINESE = {
    "small": "人脸太小",
    "blurred": "照片模糊",
    "dark": "照片太暗",
    "bright": "照片过亮",
    "grey": "照片是黑白的",
    "turned": "头部偏转",
    "unsure": "不能确定这是人脸",
    "cut": "头部有一部分在照片之外",
    "stretched": "照片被拉伸变形",
    "covered": "眼睛或嘴部被遮挡",
    "drawn": "看起来是绘制的，而不是照片",
    "unusual": "照片与训练所用照片差别很大",
    "unanswered": "语言模型没有给出评分，这是所有评分的平均值",
}

TEXTS: dict[str, tuple[str, str]] = {
    **{word: (english, _WARNINGS_IN_CHINESE[word]) for word, english in WARNINGS.items()},
    "careful": ("This score is unreliable: {why}.", "此分数不可靠：{why}。"),
    "careful_compared": (
        "Unreliable: {which}. The comparison that follows means little.",
        "不可靠：{which}。以下比较意义不大。",
    ),
    "sample": ("Try a sample portrait", "试用示例肖像"),
    "sample_of": (
        "Sample: Eileen Collins, NASA, 1999; in the public domain.", "示例：艾琳·柯林斯，NASA，1999 年，公有领域。",
    ),
    "more": ("Add more photos", "添加更多照片"),
    "progress": ("{done} of {total} photos scored", "已评分 {done} 张，共 {total} 张"),
    "halt": ("Stop", "停止"),
    "plain_limit": (
        "Without scripts, at most {most} photos go at once, and changing the language clears the results.",
        "不启用脚本时，一次最多 {most} 张照片，切换语言会清除结果。",
    ),
    "bars": (
        "Columns: how often each score occurs among the {rated} rated faces.",
        "柱形：{rated} 张已评分人脸中各分数的多少。",
    ),
    "line": ("Line: this photo.", "竖线：本照片。"),
    "band": ("Shaded: the margin.", "阴影：误差范围。"),
    "bars_why": (
        "Bars: rating points, to the left what lowers the score, to the right what raises it; a full bar is {full}.",
        "条形：单位为分，向左为降低，向右为提高；满格为 {full} 分。",
    ),
    "guide_title": ("How to read this", "如何看懂结果"),
    "guide_score": (
        "The large number is a guess at the mean of the ratings, {low} to {high}, that {raters} would give this photo. "
        "It is about the photo: another one of the same person may differ by more than the second digit.",
        "大号数字是对平均分的估计：{raters}会给这张照片打的分（{low} 到 {high} 分）。"
        "它针对的是照片：同一个人的另一张照片可能有明显差别。",
    ),
    "guide_margin": (
        "The ± and the shaded part are the margin. Photos that differ by less than their combined margin are a tie.",
        "± 和阴影部分是误差范围。两张照片相差小于合计误差时，不分高下。",
    ),
    "guide_place": (
        "“Higher than 70 %” compares with the rated faces of {data}, not with people in general.",
        "“高于 70 %”是与 {data} 中已评分的人脸相比，不是与所有人相比。",
    ),
    "guide_warnings": (
        "A warning says why a score means little. Frontal, sharp, evenly lit and in colour is what works best:",
        "警告说明分数为什么意义不大。正面、清晰、光线均匀的彩色照片效果最好。可能的警告：",
    ),
    "guide_why": (
        "“Why this score?” splits the score among the parts of the picture. It tells what the program reacts to, not "
        "what is beautiful, and another way of asking gives other numbers.",
        "“为什么是这个分数？”把分数分摊到图片的各部分。它说明程序对什么有反应，而不是什么美；换一种问法会得到不同数值。",
    ),
    "guide_keep": ("Keep this text as a file", "把本说明存为文件"),
    "guide_kept": (
        "The file holds this text in one piece. It needs no connection and no server, and can be printed.",
        "文件包含本说明的全部内容，无需网络和服务器，也可打印。",
    ),
    "back": ("Back to the page", "返回页面"),
}  # fmt: skip
