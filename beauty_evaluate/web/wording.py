"""The sentences of the page, each in English and in Chinese. What depends on the weights is a gap: see i18n.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Rate a face", "人脸评分"),
    "other_language": ("中文", "English"),
    "lead": (
        "Estimates how {raters} would rate a frontal portrait on a scale of {low} to {high}, and shows which parts of "
        "the picture raised or lowered the score.",
        "估计{raters}会给一张正面肖像打多少分（{low} 到 {high} 分），并显示图片的哪些部分提高或降低了分数。",
    ),
    "raters_of": ("the raters of {data}", " {data} 的评分者"),
    "raters": ("people", "人们"),
    "private": (
        "Your photo stays on this computer. It is not stored, not logged and not sent anywhere.",
        "您的照片不会离开这台电脑：不保存、不记录、不发送到任何地方。",
    ),
    "private_there": (
        "Your photo is sent to the computer that serves this page and no further. It is not stored or logged there.",
        "您的照片只发送到提供本页面的电脑，不会转发到别处，也不会被保存或记录。",
    ),
    "choose": ("Choose photos", "选择照片"),
    "drop": ("or drop or paste them here", "或拖放、粘贴到这里"),
    "camera": ("Use the camera", "使用摄像头"),
    "shoot": ("Take the picture", "拍照"),
    "stop": ("Stop the camera", "关闭摄像头"),
    "no_camera": ("The camera is not available.", "无法使用摄像头。"),
    "camera_view": ("Camera preview", "摄像头画面"),
    "also_why": ("Also explain the score (about ten seconds)", "同时解释分数（约十秒）"),
    "pair": ("Two photos of one person: before and after", "同一个人的前后对比照（两张）"),
    "swap": ("Swap before and after", "交换前后顺序"),
    "pair_needs": (
        "A before-and-after comparison takes two photos with one face each.", "前后对比需要两张照片，每张只有一张脸。",
    ),
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "list": (", ", "、"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "send": ("Score", "评分"),
    "working": ("Scoring ...", "正在评分……"),
    "explaining": ("Explaining the score", "正在解释分数"),
    "results": ("Results", "结果"),
    "on_scale": ("on a scale of {low} to {high}", "（{low} 到 {high} 分）"),
    "fewer": (
        "fewer than 1 % of the {rated} rated faces score lower", "{rated} 张已评分人脸中，分数更低的不到 1 %",
    ),
    "higher": ("higher than {share} % of the {rated} rated faces", "高于 {rated} 张已评分人脸中的 {share} %"),
    "interval": (
        "In {share} % of cases the raters' mean lies between {low} and {high}.",
        "在 {share} % 的情况下，评分者的平均分在 {low} 到 {high} 之间。",
    ),
    "no_interval": ("These weights have no prediction interval.", "这组权重没有预测区间。"),
    "scale": (
        "Distribution of the scores of the {rated} rated faces, with this face marked",
        "{rated} 张已评分人脸的分数分布，并标出本照片的位置",
    ),
    "scale_alone": ("Where this face lies on the scale", "本照片在分数范围中的位置"),
    "face": ("Face {face} of {faces}", "第 {face} 张脸，共 {faces} 张"),
    "pick": ("Several faces were found. Choose one:", "找到多张人脸。请选择："),
    "every": ("All faces", "所有人脸"),
    "why": ("Why this score?", "为什么是这个分数？"),
    "why_title": ("What moved this score", "哪些部分影响了分数"),
    "why_words": (
        "With every region painted over, the score is {reference}; for this photo it is {score}. Each region gets its "
        "share of the difference, in rating points. This shows what moves the score here, not why a face is beautiful.",
        "把所有区域涂掉时，分数为 {reference}；这张照片的分数为 {score}。差值按区域分配，单位为分。"
        "它说明在这里什么影响了分数，而不是一张脸为什么美。",
    ),
    "passed": (
        "Tested on other photos: drawn as a map over the face, these numbers predict what the score depends on better "
        "than maps that know nothing about the rater.",
        "已在其他照片上检验：作为人脸上的图，这些数值比对评分程序一无所知的图更能预测分数取决于什么。",
    ),
    "untested": ("The faithfulness of these numbers was not tested.", "这组权重的这些数值尚未检验。"),
    "not_shown": (
        "The effects of the regions are hidden: for these weights they failed the test against maps that know nothing "
        "about the rater.",
        "不显示各区域的影响：对这组权重，它们没有通过与一无所知的图的对比检验。",
    ),
    "measured_on": (
        "Measured on {network}, trained by the same recipe, on photos it had not learnt from.",
        "以上在 {network} 上测得：配方相同，且未学习过用于检验的照片。",
    ),
    "agree": (
        "Replacing regions in another way gives other numbers: over {photos} faces the two correlate at {pearson}, "
        "differ by {gap} points on average, and rank the same region first on {first} % of them. Comparing a region "
        "with one that is painted over and comparing it with other people's are different questions.",
        "换一种方式替换区域会得到不同的数值：在 {photos} 张人脸上，两种方式的相关系数为 {pearson}，平均相差 {gap} 分，"
        "{first} % 的人脸上排第一的区域相同。与涂掉的区域相比，和与他人的同一区域相比，是两个不同的问题。",
    ),
    "overlay": (
        "The face, orange where a region raised the score, purple where it lowered it",
        "人脸：橙色区域提高了分数，紫色区域降低了分数",
    ),
    "crop": ("The face as it was cropped", "裁剪出的人脸"),
    "raises": ("raises", "提高"),
    "lowers": ("lowers", "降低"),
    "region": ("Region", "区域"),
    "points": ("points", "分"),
    "comparison": ("Comparison", "比较"),
    "higher_than": (
        "{high} scores {gap} higher than {low}, more than their combined margin of ± {reach}.",
        "{high} 比 {low} 高 {gap} 分，超过两者的合计误差 ± {reach}。",
    ),
    "tie": (
        "{high} and {low} differ by {gap}, less than their combined margin of ± {reach}: a tie.",
        "{high} 与 {low} 相差 {gap} 分，小于两者的合计误差 ± {reach}：不分高下。",
    ),
    "unknown": (
        "{high} scores {gap} higher than {low}. Without a prediction interval it may not be significant.",
        "{high} 比 {low} 高 {gap} 分。没有预测区间，无法判断差别是否显著。",
    ),
    "pair_up": (
        "After scores {gap} higher than before, more than their combined margin of ± {reach}.",
        "“之后”的照片比“之前”高 {gap} 分，超过两者的合计误差 ± {reach}。",
    ),
    "pair_down": (
        "After scores {gap} lower than before, more than their combined margin of ± {reach}.",
        "“之后”的照片比“之前”低 {gap} 分，超过两者的合计误差 ± {reach}。",
    ),
    "pair_tie": (
        "Before and after differ by {gap}, less than their combined margin of ± {reach}: no significant change.",
        "前后两张照片相差 {gap} 分，小于两者的合计误差 ± {reach}：没有显著变化。",
    ),
    "pair_unknown": (
        "Before and after differ by {gap}. Without a prediction interval it is unknown whether that is significant.",
        "前后两张照片相差 {gap} 分。没有预测区间，无法判断变化是否显著。",
    ),
    "about": (
        "An estimate of the average taste of {raters}, made on this computer. It measures nobody's worth.",
        "对{raters}平均喜好的估计，在本机计算。它不衡量任何人的价值。",
    ),
    "save_picture": ("Save as a picture", "保存为图片"),
    "save_json": ("Save as JSON", "保存为 JSON"),
    "honest_title": ("What the score means", "分数的含义"),
    "honest": (
        "The score estimates the average taste of {raters}. It measures nobody's worth and must not decide anything "
        "about anyone. Use it only on photos of yourself and of adults who have agreed. Lighting, lens, make-up and a "
        "smile all change it. For faces unlike those it learnt from (other ethnicities, other ages, turned heads) it "
        "says little.",
        "分数估计的是{raters}的平均喜好。它不衡量任何人的价值，也不得用来对任何人做决定。"
        "请只用于您本人的照片，以及已同意的成年人的照片。光线、镜头、化妆和微笑都会影响分数。"
        "对与所学照片不同的人脸（其他族裔、其他年龄、偏转的头部），分数意义不大。",
    ),
    "other_photos": (
        "On the data set {data}, whose photos it has not learnt from, it correlates with the raters at only {pearson}.",
        "在它未学习过的数据集 {data} 上，它与评分者的相关系数只有 {pearson}。",
    ),
    "human": ("One human rater reaches {pearson} there.", "在同样的照片上，一位人类评分者达到 {pearson}。"),
    "groups": (
        "Agreement with the raters of {data}: {network}, on photos it has not learnt from",
        "与 {data} 评分者的一致程度：{network}，在未学习过的照片上",
    ),
    "group": ("Photos", "照片"),
    "correlation": ("Correlation", "相关系数"),
    "error": ("Mean error, points of {low} to {high}", "平均误差（{low} 到 {high} 分制）"),
    "weights": ("Weights: {name}", "权重：{name}"),
    "api": ("API for programs", "程序接口（API）"),
    "parts": ("What the score is made of", "分数的组成"),
    "part": ("Part", "部分"),
    "weight": ("weight", "权重"),
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
    "no_face": ("No frontal face was found.", "没有找到正面人脸。"),
    "no_photos": ("Please choose 1 to {most} photos.", "请选择 1 到 {most} 张照片。"),
    "unreadable": ("The file is damaged or is not a supported picture.", "文件已损坏，或不是支持的图片。"),
    "too_small": ("The picture is too small.", "图片太小。"),
    "too_large": ("The picture is too large.", "图片太大。"),
    "too_many_faces": ("There are too many faces in the photo.", "照片中人脸太多。"),
    "busy": ("The server is busy; please try again in a few seconds.", "服务器繁忙，请几秒后再试。"),
    "too_long": ("The request took too long and was cancelled.", "用时过长，已取消。"),
    "refused": ("The request was refused.", "请求被拒绝。"),
    "broken": ("Something went wrong on the server. It is not your mistake.", "服务器出错了，这不是您的问题。"),
    "failed": ("That did not work.", "操作未成功。"),
    "lost": ("The server did not answer.", "服务器没有回应。"),
}  # fmt: skip
