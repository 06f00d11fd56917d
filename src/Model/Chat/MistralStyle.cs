namespace LServe.Model;

/// <summary>How the published versions of Mistral's template differ.</summary>
/// <param name="QuestionStart">Before a question.</param>
/// <param name="QuestionEnd">After it.</param>
/// <param name="AnswerStart">Before an answer.</param>
/// <param name="AnswerEnd">After the end token.</param>
/// <param name="TrimsAnswers">Whether answers are trimmed.</param>
/// <param name="System">Where the system message goes.</param>
internal sealed record MistralStyle(
    string QuestionStart, string QuestionEnd, string AnswerStart, string AnswerEnd, bool TrimsAnswers, MistralSystem System)
{
    /// <summary>The style whose literal pieces the template has, or null.</summary>
    public static MistralStyle? Recognise(string template)
    {
        var code = template.Replace('"', '\'');
        bool Has(string piece) => code.Contains(piece);
        if (!Has("[INST]") || Has("<<SYS>>")) return null;
        if (Has("'[INST] ' + message['content'] + '[/INST]'") && Has("message['content']|trim + eos_token") && HasSystemAt("loop.last"))
            return new("[INST] ", "[/INST]", " ", "", TrimsAnswers: true, MistralSystem.LastQuestion);
        if (!Has("message['content'] + eos_token")) return null;
        if (Has("' [INST] ' + message['content'] + ' [/INST]'") && HasSystemAt("loop.first"))
            return new(" [INST] ", " [/INST]", " ", "", TrimsAnswers: false, MistralSystem.FirstQuestion);
        if (!Has("'[INST] ' + message['content'] + ' [/INST]'") || Has("system_message")) return null;
        return new("[INST] ", " [/INST]", "", Has("eos_token + ' '") ? " " : "", TrimsAnswers: false, MistralSystem.Refused);

        bool HasSystemAt(string place) => Has("if " + place + " and system_message is defined");
    }
}

/// <summary>Where a template puts the system message.</summary>
internal enum MistralSystem
{
    Refused,
    FirstQuestion,
    LastQuestion,
}
