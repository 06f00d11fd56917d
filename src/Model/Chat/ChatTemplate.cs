namespace LServe.Model;

/// <summary>A message to render.</summary>
public readonly record struct ChatTurn(string Role, string Content);

/// <summary>A piece of a rendered conversation.</summary>
/// <param name="IsMarkup">Whether special tokens may come out of it: true for what the template wrote, false for what people wrote.</param>
public readonly record struct TemplateSegment(string Text, bool IsMarkup);

/// <summary>Writes conversations the way a model was trained to read them. One subclass per template, chosen by fingerprint.</summary>
public abstract class ChatTemplate
{
    public abstract string Name { get; }

    /// <summary>
    /// The whole conversation from its start, begin token included where the template writes one.
    /// </summary>
    /// <exception cref="ChatTemplateException">The template doesn't allow this order of roles.</exception>
    public abstract IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt);

    /// <summary>
    /// What follows an assistant's answer that is kept as tokens without its end token: the answer's closing, then
    /// <paramref name="turns"/> and the generation prompt.
    /// </summary>
    /// <param name="before">Roles of the kept messages, for templates that number or alternate them.</param>
    /// <exception cref="ChatTemplateException">The template doesn't allow these turns here.</exception>
    public abstract IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns);
}

/// <summary>A conversation that a template refuses; the message says what the template wants.</summary>
public sealed class ChatTemplateException(string message) : Exception(message);
