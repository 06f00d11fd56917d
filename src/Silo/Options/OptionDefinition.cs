using System.Globalization;

namespace LServe.Silo;

/// <summary>One option: how it is called, what it means, and what it sets.</summary>
/// <param name="Value">What stands for its value in the help.</param>
internal sealed record OptionDefinition(string Name, string Value, string Explanation, Func<SiloOptions, string, SiloOptions> Set)
{
    /// <summary>The variable that is read where the option isn't given: <c>--kv-tokens</c> is <c>LSERVE_KV_TOKENS</c>.</summary>
    public string Variable => "LSERVE_" + Name[2..].Replace('-', '_').ToUpperInvariant();

    public static OptionDefinition Number(
        string name, string explanation, int least, int most, Func<SiloOptions, int, SiloOptions> set) =>
        new(name, "N", explanation, (options, text) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? set(options, number)
                : throw new StartException($"{name} must be a whole number from {least} to {most}, not '{text}'."));

    public static OptionDefinition Choice<T>(
        string name, string explanation, IReadOnlyList<(string Name, T Value)> choices, Func<SiloOptions, T, SiloOptions> set) =>
        new(name, string.Join('|', choices.Select(choice => choice.Name)), explanation, (options, text) =>
        {
            foreach (var choice in choices)
                if (choice.Name.Equals(text, StringComparison.OrdinalIgnoreCase))
                    return set(options, choice.Value);
            throw new StartException($"{name} must be one of {string.Join(", ", choices.Select(choice => choice.Name))}, not '{text}'.");
        });
}
