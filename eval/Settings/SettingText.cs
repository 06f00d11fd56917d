using System.Globalization;
using LServe.Inference;

namespace LServe.Eval;

/// <summary>A setting in words, as tables show it.</summary>
internal static class SettingText
{
    public static string Of(Setting setting)
    {
        var kv = $"kv {setting.Kv.ToString().ToLowerInvariant()}";
        if (setting.LServe is not { } options) return $"dense, {kv}{Centring(setting)}";
        var streams = setting.Share == 0 ? "no streaming heads" : string.Create(CultureInfo.InvariantCulture, $"{setting.Share:P0} streaming, sink {options.Sink}, local {options.Local}");
        return $"{options.Policy}, budget {options.Budget}, {(options.Policy == SelectionPolicy.TwoStage ? $"candidates {options.Candidates} ×, " : "")}renewal {options.Renewal}, sketch {options.SketchBits}, {streams}, {kv}{Centring(setting)}";
    }

    private static string Centring(Setting setting) => setting.Kv.ToString() is "F16" or "F32" || setting.Centred ? "" : " uncentred";
}
