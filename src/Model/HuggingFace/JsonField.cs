using System.Text.Json;

namespace LServe.Model;

/// <summary>A value in a JSON file that knows its place, so that errors can name it. JSON's null counts as missing.</summary>
internal readonly record struct JsonField(string File, string Name, JsonElement Element)
{
    public bool IsObject => Element.ValueKind == JsonValueKind.Object;
    public bool IsText => Element.ValueKind == JsonValueKind.String;
    public bool IsArray => Element.ValueKind == JsonValueKind.Array;

    public JsonField Required(string name) => Optional(name) ?? throw new ModelFileException(File, Path(name), null, "is missing.");

    public JsonField? Optional(string name)
    {
        if (!IsObject) throw Problem("is no object.");
        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? new(File, Path(name), value) : null;
    }

    public int Int(int min, int max)
    {
        if (Element.ValueKind != JsonValueKind.Number || !Element.TryGetInt64(out var number)) throw Problem("is no whole number.");
        return number >= min && number <= max ? (int)number : throw Problem($"is {number}, which is not within {min} … {max}.");
    }

    public double Real()
    {
        if (Element.ValueKind != JsonValueKind.Number || !Element.TryGetDouble(out var number) || !double.IsFinite(number))
            throw Problem("is no number.");
        return number;
    }

    public double Positive() => Real() is > 0 and var number ? number : throw Problem("is not positive.");

    public bool Flag() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Problem("is neither true nor false."),
    };

    public string Text()
    {
        if (!IsText) throw Problem("is no string.");
        try
        {
            return Element.GetString()!;
        }
        catch (InvalidOperationException e) // half a surrogate pair in an escape
        {
            throw new ModelFileException(File, Name, null, "is no valid text.", e);
        }
    }

    public IEnumerable<JsonField> Items()
    {
        if (!IsArray) throw Problem("is no array.");
        var self = this;
        return Element.EnumerateArray().Select((item, i) => new JsonField(self.File, $"{self.Name}[{i}]", item));
    }

    public IEnumerable<(string Name, JsonField Value)> Properties()
    {
        if (!IsObject) throw Problem("is no object.");
        foreach (var property in Element.EnumerateObject())
        {
            var name = NameOf(property);
            yield return (name, new(File, Path(name), property.Value));
        }
    }

    public ModelFileException Problem(string problem) => new(File, Name.Length == 0 ? "JSON" : Name, null, problem);

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFileException(File, Name, null, "has a name that is no valid text.", e);
        }
    }

    private string Path(string name) => Name.Length == 0 ? name : $"{Name}.{name}";
}
